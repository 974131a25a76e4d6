// Random calls of skd.h: `SKDABIFuzzer SEED CALLS`, or `SKDABIFuzzer list` for the functions called.
//
// Each call is announced before it is made, so that the last line names the one that crashed. A call
// that breaks a promise of the header ends the program with status 1 and a line that says which.

import CSKD
import Foundation
import SKDABI

/// Writes a line, which is out before the next call.
func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

let models = try ModelCalls()
let calls = operationCalls() + fewShotCalls() + models.calls()

if CommandLine.arguments.dropFirst() == ["list"] {
  for (name, _) in calls { say(name) }
  exit(0)
}
guard CommandLine.arguments.count == 3, let seed = UInt64(CommandLine.arguments[1]),
  let count = Int(CommandLine.arguments[2])
else {
  say("usage: SKDABIFuzzer SEED CALLS | list")
  exit(2)
}

func fail(_ reason: String) -> Never {
  say(reason)
  exit(1)
}

let arguments = RandomArguments(seed: seed)
var outcomes: [skd_status: Int] = [:]
for number in 0..<count {
  let (name, call) = calls[arguments.below(calls.count)]
  say("seed \(seed), call \(number): \(name)")
  arguments.beginCall()
  let usesModels = name.contains("model") || name.contains("trainer")
  let before = usesModels ? models.state : []
  let status = call(arguments)
  if !arguments.areEndsUnchanged { fail("wrote beyond the end of an array") }
  guard let status else { continue }
  outcomes[status, default: 0] += 1
  if status == SKD_OK { continue }
  if !(SKD_OK...SKD_CALLBACK_FAILED).contains(Int(status)) { fail("unknown status \(status)") }
  if lastError.isEmpty { fail("status \(status) without a message") }
  if !arguments.areArraysUnchanged { fail("changed an array: \(lastError)") }
  if usesModels && models.state != before { fail("changed a model: \(lastError)") }
}
let summary = outcomes.sorted { $0.key < $1.key }.map { "\($0.value) of status \($0.key)" }
say("\(count) calls: \(summary.joined(separator: ", "))")
