"""The allow-lists of the walk: what each kind of request holds that a detector need not read.

Each entry is an enumeration, a boolean or a bounded number of the wire models. A path that is not here is read.
"""

from __future__ import annotations

from troth.gateway.redaction import Places

CHAT = Places(
    fixed=frozenset(
        """model stream store n frequency_penalty presence_penalty temperature top_p top_logprobs logprobs logit_bias
        max_completion_tokens max_tokens parallel_tool_calls reasoning_effort verbosity service_tier seed modalities.*
        user safety_identifier
        messages.*.role messages.*.content.*.type messages.*.content.*.image_url.detail messages.*.tool_calls.*.type
        tools.*.type tools.*.function.strict tool_choice.type
        response_format.type response_format.json_schema.strict
        stream_options.include_usage stream_options.include_obfuscation prediction.type""".split()
    ),
    names=frozenset(
        """messages.*.name messages.*.tool_call_id messages.*.tool_calls.*.id messages.*.tool_calls.*.function.name
        messages.*.tool_calls.*.custom.name tools.*.function.name tools.*.custom.name tool_choice.function.name
        tool_choice.custom.name response_format.json_schema.name""".split()
    ),
    json=frozenset(["messages.*.tool_calls.*.function.arguments"]),
    pictures=frozenset(["messages.*.content.*.image_url.url"]),
)

IMAGES = Places(
    fixed=frozenset(
        """model n size quality background output_format output_compression response_format moderation style complexity
        input_fidelity user safety_identifier""".split()
    ),
    names=frozenset(),
    json=frozenset(),
)
