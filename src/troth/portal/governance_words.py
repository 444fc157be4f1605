"""Human words of registers."""

from __future__ import annotations

# How something that is due stands: words, and the class of its mark.
DUES = {
    "lapsed": ("lapsed", "broken"),
    "overdue": ("overdue", "broken"),
    "due": ("due now", "unknown"),
    "soon": ("soon", "unknown"),
    "later": ("later", "kept"),
}
ROLES = {
    "owner": "owner",
    "admin": "admin",
    "privacy-officer": "privacy officer",
    "security-analyst": "security analyst",
    "auditor": "auditor",
    "room": "auditor in the room",
    "member": "each person",
    "any": "whoever may read it",
    "operator": "operator of the service",
}
# Why a message was not taken.
TROUBLES = {
    "webhook-address-refused": "the address leads into a private network",
    "webhook-away": "the server cannot be reached",
    "webhook-refused": "the server refused it",
    "webhook-slow": "the server took too long",
    "relay-failed": "the mail relay did not take it",
    "no-relay": "no mail relay is set up",
}
# What ends when something was not done in time.
LAPSES = {"stops": "it stops"}
EVENTS = {
    "calendar.reminder": "what is due",
    "alarm": "alarms",
    "sub-processor.announced": "new sub-processors",
    "paper.published": "versions of our paper",
}
# Rooms that keep something with an end beside the registers: title, and the page that shows it.
ROOMS = {
    "vendors": ("Vendors", "/routing"),
    "access-reviews": ("Reviews of access", "/access"),
    "log-reviews": ("Reviews of administrators", "/reviews"),
    "requests": ("Rights requests", "/desk"),
    "elevations": ("Roles for some hours", "/access"),
    "auditors": ("Auditors", "/auditors"),
    "keys": ("Keys of the service", ""),
}

# What was done, as the log tells it.
REGISTERS = {
    "paper.approve": "Approved a version of the paper",
    "paper.diff": "Looked at what a version of the paper changes",
    "paper.lint": "Looked for what is wrong with a paper",
    "paper.list": "Listed the versions of the paper",
    "paper.publish": "Proposed a version of the paper",
    "paper.show": "Took a version of the paper",
    "data-map.show": "Looked at the data map",
    "privacy-statement.approve": "Approved a version of the privacy statement",
    "privacy-statement.publish": "Proposed a version of the privacy statement",
    "privacy-statement.show": "Looked at the privacy statement",
    "calendar.lapsed": "Something ended because it was not renewed or done in time",
    "message.given-up": "A message was given up: nobody took it",
    "trust.changes": "Looked at what changed of the promises",
    "trust.show": "Looked at the trust page",
    "calendar.feed": "Read a feed of what is due",
    "calendar.show": "Looked at what is due",
    "calendar.subscribe": "Made a feed of what is due",
    "calendar.unsubscribe": "Ended a feed of what is due",
    "webhook.add": "Added a webhook",
    "webhook.list": "Listed the webhooks",
    "webhook.remove": "Took a webhook away",
    "webhook.rotate": "Gave a webhook a fresh secret",
    "webhook.test": "Sent a message to a webhook to try it",
    "promise.oscal": "Took the promises in OSCAL",
    "room.ask": "Asked something in an auditor's room",
    "room.list": "Listed one's rooms",
    "room.proof": "Took the proof of a run in an auditor's room",
    "room.records": "Read a register in an auditor's room",
    "room.report": "Took a report out of an auditor's room",
    "room.runs": "Read runs of a check in an auditor's room",
    "room.sample": "Drew runs of a check in an auditor's room",
    "room.show": "Entered an auditor's room",
    "register.act": "Did one's own part of a record, such as to attest",
    "register.attach": "Kept a file with a record of a register",
    "register.counted": "Everybody of a population, by its digest",
    "register.population": "Looked at who had to do their part of a record",
    "register.changes": "Read what changed since the last review of configuration",
    "register.prepare": "Prepared a review of configuration",
    "register.detach": "Erased a file of a record",
    "register.file": "Opened a file of a record",
    "register.files": "Listed the files of a record",
    "register.dues": "Listed what is due in the registers",
    "register.entered": "An entry of a register, with its digest",
    "register.export": "Took a register out as a file",
    "register.form": "Looked at the form of a register",
    "register.forms": "Listed the registers",
    "register.history": "Read every entry of a record",
    "register.import": "Tried or entered an import into a register",
    "register.list": "Listed the records of a register",
    "register.move": "Made a move of a record",
    "register.open": "Opened a record of a register",
    "register.show": "Looked at a record of a register",
}
