// Passkeys in the portal. Without this script every page works too, with password and one-time code.
"use strict";
(() => {
  if (!window.PublicKeyCredential || !navigator.credentials) return;

  for (const one of document.querySelectorAll("[data-without-passkeys]")) one.hidden = true;

  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const described = (list) => list.map((one) => ({ ...one, id: bytes(one.id) }));

  async function create(options) {
    const user = { ...options.user, id: bytes(options.user.id) };
    const excludeCredentials = described(options.excludeCredentials);
    const publicKey = { ...options, user, excludeCredentials, challenge: bytes(options.challenge) };
    const { response } = await navigator.credentials.create({ publicKey });
    return { client_data: text(response.clientDataJSON), attestation: text(response.attestationObject) };
  }

  async function get(options) {
    const allowCredentials = described(options.allowCredentials);
    const publicKey = { ...options, allowCredentials, challenge: bytes(options.challenge) };
    const { rawId, response } = await navigator.credentials.get({ publicKey });
    return {
      credential: text(rawId),
      client_data: text(response.clientDataJSON),
      authenticator_data: text(response.authenticatorData),
      signature: text(response.signature),
      user_handle: text(response.userHandle ?? new ArrayBuffer(0)),
    };
  }

  async function asked(address) {
    const answer = await fetch(address, { method: "POST" });
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.advice);
    return said;
  }

  const why = (error) => {
    if (error.name === "InvalidStateError") return "This device has a passkey of yours already.";
    if (error instanceof DOMException) return "The device gave no passkey. Try again, or use another way.";
    return error.message;
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const complaint = form.querySelector("[role=alert]");
    const button = form.querySelector("button");
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      complaint.hidden = true;
      button.disabled = true;
      try {
        const options = await asked(form.dataset.options);
        const answer = await (form.dataset.passkey === "create" ? create(options) : get(options));
        for (const [name, value] of Object.entries(answer)) form.elements.namedItem(name).value = value;
        form.submit();
      } catch (error) {
        complaint.textContent = why(error);
        complaint.hidden = false;
        button.disabled = false;
      }
    });
  }
})();
