"""Content moderation: what may neither leave nor be delivered, who looks at it, and how people appeal."""

from troth.gateway.moderation.moderator import WINDOW, Moderator, StreamModerator
from troth.gateway.moderation.policy import CATEGORIES
from troth.gateway.moderation.rules import normalise

__all__ = ["CATEGORIES", "WINDOW", "Moderator", "StreamModerator", "normalise"]
