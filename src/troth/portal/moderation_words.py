"""Words of moderation: what was done, classes of content, and where a case stands."""

from __future__ import annotations

MODERATION = {
    "moderation-case.appeal": "Appealed against a decision about oneself",
    "moderation-case.decide": "Decided a case of moderation",
    "moderation-case.list": "Looked at the cases of moderation",
    "moderation-case.mine": "Looked at the own cases of moderation",
    "moderation-case.open": "Opened what a case of moderation is about",
    "moderation-case.queue": "Looked at the review queue of moderation",
    "moderation-policy.approve": "Put a moderation policy in force",
    "moderation-policy.propose": "Proposed a moderation policy",
    "moderation-policy.show": "Looked at the moderation policy",
    "moderation.classify": "Had texts or pictures judged by the content policy",
    "preserved.ask": "Asked to open or release evidence",
    "preserved.list": "Listed preserved evidence",
    "preserved.open": "Took out preserved evidence",
    "preserved.release": "Released preserved evidence",
    "preserved.report": "Noted the report of evidence",
    "takedown.approve": "Put a hash of the take-down list in force",
    "takedown.export": "Took a copy of the take-down list",
    "takedown.import": "Proposed hashes for the take-down list",
    "takedown.list": "Looked at the take-down list",
    "takedown.withdraw": "Took a hash off the take-down list",
}
CLASSES = {
    "harassment": "Harassment",
    "harassment/threatening": "Harassment with a threat",
    "hate": "Hate",
    "hate/threatening": "Hate with a threat",
    "illicit": "Illicit acts",
    "illicit/violent": "Violent illicit acts, weapons",
    "self-harm": "Self-harm",
    "self-harm/intent": "Somebody may need help",
    "self-harm/instructions": "Instructions for self-harm",
    "sexual": "Sexual content",
    "sexual/minors": "Sexual content with minors",
    "violence": "Violence",
    "violence/graphic": "Graphic violence",
    "prompt_attack": "Attack upon the model",
    "hash_list": "On the list of take-downs",
}
ACTIONS = {"allow": "passes", "flag": "passes, is noted", "review": "passes, somebody looks", "refuse": "is refused"}
DONE = {"flag": "noted", "review": "passed", "refuse": "refused"}
STATES = {
    "noted": "noted",
    "open": "waits for a decision",
    "decided": "decided",
    "appealed": "appeal waits",
    "closed": "closed",
}
OUTCOMES = {"upheld": "the decision was right", "overturned": "the decision was wrong"}
EVIDENCE = {
    "preserved": "not reported yet",
    "reported": "reported",
    "released": "erased by two people",
    "expired": "erased when its time was over",
}
WISHES = {"open": "take it out for an authority", "release": "erase it"}
