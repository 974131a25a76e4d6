// SwiftPM needs one source file in a target that only declares.
