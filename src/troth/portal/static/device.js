// Binds a fresh session to a key of this browser, and shows every two minutes that the key is at hand. The key cannot be
// exported, so a copy of the cookies is of no use to anybody once the short one is over.
(() => {
  "use strict";
  const task = document.currentScript.dataset.task;
  const place = location.origin;
  const DATABASE = "troth-device";
  const KEYS = "keys";
  const SHOWN = "troth-device-shown"; // when the key was last shown, so that several windows do not all do it
  const FRESH = 0.4; // of the cookie's life, after which the key is shown again
  const NATIVE_MS = 400; // for a browser that binds sessions itself

  let idle = false;
  let running = null; // what is being shown now
  let leaving = false;
  const bytes = (text) => new TextEncoder().encode(text);
  const base64url = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replaceAll("=", "");

  const opened = () =>
    new Promise((resolve, reject) => {
      const request = indexedDB.open(DATABASE, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(KEYS);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });

  async function stored(mode, act) {
    const database = await opened();
    try {
      return await new Promise((resolve, reject) => {
        const transaction = database.transaction(KEYS, mode);
        const request = act(transaction.objectStore(KEYS));
        transaction.oncomplete = () => resolve(request.result);
        transaction.onerror = () => reject(transaction.error);
      });
    } finally {
      database.close();
    }
  }

  const key = () => stored("readonly", (keys) => keys.get("pair"));

  async function freshKey() {
    const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
    await stored("readwrite", (keys) => keys.put(pair, "pair"));
    return pair;
  }

  async function proof(pair, challenge, address) {
    const { crv, kty, x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
    const header = { alg: "ES256", typ: "troth-device+jwt", jwk: { crv, kty, x, y } };
    const claims = { jti: challenge, htm: "POST", htu: place + address };
    const signed = [header, claims].map((part) => base64url(bytes(JSON.stringify(part)))).join(".");
    const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, bytes(signed));
    return `${signed}.${base64url(signature)}`;
  }

  async function posted(address, fields) {
    const answer = await fetch(address, { method: "POST", body: fields && new URLSearchParams(fields) });
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.code);
    return said;
  }

  async function show() {
    if (task !== "bind" && !(await key())) {
      idle = true; // the session's key is in another browser: there is nothing to show
      throw new Error("no-key");
    }
    const asked = await posted("/device");
    if (asked.bound === "dbsc") {
      idle = true; // the browser does it by itself
      return;
    }
    const binding = asked.bound === null;
    const pair = binding ? await freshKey() : await key();
    const signed = binding ? "/v1/sessions/current/binding" : "/device/confirm";
    const said = await posted(binding ? "/device/bind" : "/device/confirm", {
      proof: await proof(pair, asked.challenge, signed),
    });
    localStorage.setItem(SHOWN, String(Date.now() + said.seconds * 1000 * FRESH));
  }

  // When the key is to be shown again, unless it never can be.
  const due = () => !idle && Number(localStorage.getItem(SHOWN) ?? 0) <= Date.now();

  function say(what) {
    for (const name of ["working", "failed", "done", "unscripted"]) {
      for (const one of document.querySelectorAll(`[data-device-${name}]`)) one.hidden = name !== what;
    }
  }

  // One window at a time, so that no key takes the place of the one that was bound a moment ago.
  function once(wanted) {
    running ??= navigator.locks
      .request("troth-device", () => (wanted() ? show() : undefined))
      .then(() => true)
      .catch(() => false)
      .finally(() => (running = null));
    return running;
  }

  async function begin() {
    say("working");
    if (task === "bind") await new Promise((resolve) => setTimeout(resolve, NATIVE_MS));
    if (leaving) return;
    const shown = await once(task === "keep" ? due : () => true);
    if (!shown) say("failed");
    else if (document.querySelector("[data-device-goes-on]")) location.reload();
    else say("done");
  }

  begin();
  const wake = () => document.visibilityState === "visible" && due() && once(due);
  setInterval(wake, 5000);
  document.addEventListener("visibilitychange", wake);
  document.addEventListener(
    "submit",
    (event) => {
      const { target: form, submitter } = event;
      if (form.dataset.passkey || form.dataset.deviceShown) return;
      if (!running && (task === "bind" || !due())) {
        leaving = true;
        return;
      }
      event.preventDefault();
      event.stopImmediatePropagation();
      form.dataset.deviceShown = "yes";
      once(due).then(() => form.requestSubmit(submitter));
    },
    true,
  );
})();
