// Browsers let no page that is opened as a file start a worker, and the search of the site is one.
// On such a page, the script of a worker runs in a hidden frame instead.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(address) {
      super();
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.body.append(this.frame);
      const inside = this.frame.contentWindow;
      inside.postMessage = (data) => this.deliver(this, MessageEvent, data);
      const script = inside.document.createElement("script");
      script.src = new URL(address, location);
      this.started = new Promise((resolve, reject) => {
        script.onload = resolve;
        script.onerror = reject;
      });
      this.started.catch((error) => this.dispatchEvent(new Event("error", error)));
      inside.document.head.append(script);
    }

    set onmessage(handler) {
      this.replace("message", handler);
    }

    set onerror(handler) {
      this.replace("error", handler);
    }

    async postMessage(data) {
      await this.started;
      const inside = this.frame.contentWindow;
      this.deliver(inside, inside.MessageEvent, data);
    }

    terminate() {
      this.frame.remove();
    }

    // As between threads, the receiver gets a copy, and later.
    deliver(receiver, Message, data) {
      const copy = structuredClone(data);
      setTimeout(() => receiver.dispatchEvent(new Message("message", { data: copy })));
    }

    replace(kind, handler) {
      this.handlers ??= {};
      this.removeEventListener(kind, this.handlers[kind]);
      this.handlers[kind] = handler;
      if (handler) this.addEventListener(kind, handler);
    }
  };
}
