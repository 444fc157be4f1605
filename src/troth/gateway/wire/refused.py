"""What OpenAI's API knows and Troth refuses: each with a code of its own and what to do instead.

Raised while a request is read, before anything else happens with it. What stands nowhere in OpenAI's API is an unknown
field like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from troth.kernel.errors import Invalid, TrothError

AUDIO = ("audio-not-supported", "Speech cannot be read for personal data; send its transcript as text.")
_FILE = ("file-part-not-supported", "A file as a part of a message cannot be read; send its text as text.")
_STATE = ("state-not-kept", "Vendors keep no conversation for Troth; send the earlier items as input.")
_HOSTED = ("tool-not-supported", "Tools that run at a vendor would send data on unread; offer a function and run it.")
_CACHE = ("cache-not-supported", "A vendor's cache outlives the request; leave this field out.")
_MODERATION = ("moderation-not-supported", "Troth moderates every request by its own list; leave this field out.")

# Field -> code and advice.
CHAT_FIELDS = {
    "audio": AUDIO,
    "functions": ("deprecated-field", "This field was replaced by tools; send tools."),
    "function_call": ("deprecated-field", "This field was replaced by tool_choice; send tool_choice."),
    "web_search_options": ("web-search-not-supported", "A search would send the prompt on unread; search yourself "
                           "and send what was found as text."),
    "moderation": _MODERATION,
    "prompt_cache_options": _CACHE,
    "prompt_cache_retention": _CACHE,
}  # fmt: skip
RESPONSE_FIELDS = {
    "conversation": _STATE,
    "context_management": _STATE,
    "prompt": ("prompt-template-not-supported", "Templates lie at a vendor and cannot be read; send their text."),
    "background_options": ("background-not-supported", "A vendor would have to keep the request; ask in foreground."),
    "moderation": _MODERATION,
    "prompt_cache_options": _CACHE,
    "prompt_cache_retention": _CACHE,
    "access_programs": ("access-program-not-supported", "Leave this field out; the operator's contract decides."),
    "image": ("image-options-not-supported", "Leave this field out; pictures are sent as they are."),
}
PARTS = {"input_audio": AUDIO, "file": _FILE, "input_file": _FILE}
ITEMS = dict.fromkeys(
    """computer_call computer_call_output file_search_call web_search_call code_interpreter_call
    local_shell_call local_shell_call_output shell_call shell_call_output apply_patch_call apply_patch_call_output
    mcp_list_tools mcp_approval_request mcp_approval_response mcp_call tool_search_call tool_search_output compaction
    program program_output""".split(),
    _HOSTED,
) | {"item_reference": _STATE}
TOOLS = dict.fromkeys(
    """file_search web_search web_search_2025_08_26 web_search_preview web_search_preview_2025_03_11 computer
    computer_use_preview code_interpreter mcp local_shell shell apply_patch tool_search namespace
    programmatic_tool_calling""".split(),
    _HOSTED,
)
_EDITS = ("edit-not-supported", "This tool makes new pictures; change your own at /v1/images/edits.")
IMAGE_TOOL_FIELDS = {"input_fidelity": _EDITS, "input_image_mask": _EDITS}
INCLUDES = {
    "reasoning.encrypted_content": ("include-not-supported", "Sealed reasoning cannot be read; leave it out of "
                                    "include."),
} | dict.fromkeys(
    """file_search_call.results web_search_call.results web_search_call.action.sources message.input_image.image_url
    computer_call_output.output.image_url code_interpreter_call.outputs""".split(),
    ("include-not-supported", "This belongs to a tool that Troth refuses; leave it out of include."),
)  # fmt: skip


def background(value: Any) -> Any:
    """A validator: work in the background would leave the request with a vendor."""
    if value is True:
        raise _refusal(RESPONSE_FIELDS["background_options"], "background")
    return value


def editing(value: Any) -> Any:
    """A validator of `action`: a tool that changes pictures would need them shown to a vendor again."""
    if value == "edit":
        raise _refusal(_EDITS, "tools")
    return value


def fields(refused: Mapping[str, tuple[str, str]]) -> Callable[[Any], Any]:
    """A validator of a whole request: refuses these fields unless they are null, which says nothing."""

    def check(values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        for name in refused.keys() & values.keys():
            if values[name] is not None:
                raise _refusal(refused[name], name)
        return {name: value for name, value in values.items() if name not in refused}

    return check


def types(refused: Mapping[str, tuple[str, str]], field: str) -> Callable[[Any], Any]:
    """A validator of one member of a union: refuses these values of `type`."""

    def check(value: Any) -> Any:
        kind = value.get("type") if isinstance(value, dict) else None
        if isinstance(kind, str) and kind in refused:
            raise _refusal(refused[kind], field)
        return value

    return check


def values(refused: Mapping[str, tuple[str, str]], field: str) -> Callable[[Any], Any]:
    """A validator of one word of a list."""

    def check(value: Any) -> Any:
        if isinstance(value, str) and value in refused:
            raise _refusal(refused[value], field)
        return value

    return check


def _refusal(why: tuple[str, str], field: str) -> TrothError:
    code, advice = why
    return Invalid(advice, code=code, field=field)
