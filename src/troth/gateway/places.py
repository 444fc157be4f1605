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
        tools.*.type tools.*.function.strict tool_choice.type tool_choice.allowed_tools.mode
        tool_choice.allowed_tools.tools.*.type
        response_format.type response_format.json_schema.strict
        stream_options.include_usage stream_options.include_obfuscation prediction.type""".split()
    ),
    names=frozenset(
        """messages.*.name messages.*.tool_call_id messages.*.tool_calls.*.id messages.*.tool_calls.*.function.name
        messages.*.tool_calls.*.custom.name tools.*.function.name tools.*.custom.name tool_choice.function.name
        tool_choice.custom.name tool_choice.allowed_tools.tools.*.function.name
        tool_choice.allowed_tools.tools.*.custom.name response_format.json_schema.name""".split()
    ),
    json=frozenset(["messages.*.tool_calls.*.function.arguments"]),
    pictures=frozenset(["messages.*.content.*.image_url.url"]),
)

RESPONSES = Places(
    fixed=frozenset(
        """model stream store temperature top_p top_logprobs max_output_tokens max_tool_calls parallel_tool_calls
        service_tier truncation background user safety_identifier include.* reasoning.effort reasoning.summary
        text.verbosity text.format.type text.format.strict stream_options.include_obfuscation
        input.*.type input.*.role input.*.phase input.*.content.*.type input.*.content.*.detail
        input.*.output.*.type input.*.output.*.detail
        tools.*.type tools.*.strict tool_choice.type tool_choice.mode tool_choice.tools.*.type""".split()
    ),
    names=frozenset(
        """input.*.call_id input.*.name tools.*.name tool_choice.name tool_choice.tools.*.name
        text.format.name""".split()
    ),
    json=frozenset(["input.*.arguments"]),
    pictures=frozenset(["input.*.content.*.image_url", "input.*.output.*.image_url"]),
)

EMBEDDINGS = Places(
    fixed=frozenset(["model", "dimensions", "encoding_format", "user"]), names=frozenset(), json=frozenset()
)

IMAGES = Places(
    fixed=frozenset(
        """model n size quality background output_format output_compression response_format moderation style complexity
        input_fidelity stream partial_images frame_count frame_duration_ms user safety_identifier""".split()
    ),
    names=frozenset(),
    json=frozenset(),
)

VIDEOS = Places(
    fixed=frozenset("model size seconds user safety_identifier".split()), names=frozenset(), json=frozenset()
)
