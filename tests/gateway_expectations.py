"""What becomes of personal data at each place of each request that may reach a vendor.

- `back`: the vendor sees a placeholder, the client its own text.
- `stays`: the vendor gets nothing of it, or a pseudonym, or its kind alone.
- `native`: as `back` where the vendor speaks the API, refused where the request would have to be translated.
- `refused`: no byte leaves.
- `closed`: an enumeration or a bounded number; no personal data fits.
"""

from __future__ import annotations

# Operations whose requests stay here.
NO_VENDOR = frozenset({"file.create", "moderation.classify"})

EXPECTED: dict[str, dict[str, str]] = {
    "chat.complete": {
        "back": """
messages.*[system|developer].content
messages.*[system|developer].content.*[text].text
messages.*[system|developer].name
messages.*[user].content
messages.*[user].content.*[text].text
messages.*[user].name
messages.*[assistant].content
messages.*[assistant].content.*[text].text
messages.*[assistant].content.*[refusal].refusal
messages.*[assistant].refusal
messages.*[assistant].name
messages.*[assistant].tool_calls.*[function].id
messages.*[assistant].tool_calls.*[function].function.name
messages.*[assistant].tool_calls.*[function].function.arguments
messages.*[assistant].tool_calls.*[custom].id
messages.*[assistant].tool_calls.*[custom].custom.name
messages.*[assistant].tool_calls.*[custom].custom.input
messages.*[tool].content
messages.*[tool].content.*[text].text
messages.*[tool].tool_call_id
prediction[content].content
prediction[content].content.*[text].text
response_format[json_schema].json_schema.name
response_format[json_schema].json_schema.description
response_format[json_schema].json_schema.schema{key}
response_format[json_schema].json_schema.schema{value}
response_format[json_schema].json_schema.schema{deep value}
response_format[json_schema].json_schema.schema{deep key}
response_format[json_schema].json_schema.schema{number}
stop
stop.*
tool_choice[function].function.name
tool_choice[custom].custom.name
tool_choice[allowed_tools].allowed_tools.tools.*[function].function.name
tool_choice[allowed_tools].allowed_tools.tools.*[custom].custom.name
tools.*[function].function.name
tools.*[function].function.description
tools.*[function].function.parameters{key}
tools.*[function].function.parameters{value}
tools.*[function].function.parameters{deep value}
tools.*[function].function.parameters{deep key}
tools.*[function].function.parameters{number}
tools.*[custom].custom.name
tools.*[custom].custom.description
tools.*[custom].custom.format{key}
tools.*[custom].custom.format{value}
tools.*[custom].custom.format{deep value}
tools.*[custom].custom.format{deep key}
tools.*[custom].custom.format{number}
""",
        "stays": """
metadata{key}
metadata{value}
prompt_cache_key
safety_identifier
seed
user
""",
        "refused": """
messages.*[user].content.*[image_url].image_url.url
model
""",
        "closed": """
logit_bias{key}
max_completion_tokens
max_tokens
n
top_logprobs
""",
    },
    "response.create": {
        "back": """
input
input.*[message].content
input.*[message].content.*[input_text].text
input.*[message].content.*[output_text].text
input.*[function_call].call_id
input.*[function_call].name
input.*[function_call].arguments
input.*[function_call_output].call_id
input.*[function_call_output].output
input.*[function_call_output].output.*[input_text].text
input.*[custom_tool_call].call_id
input.*[custom_tool_call].name
input.*[custom_tool_call].input
input.*[custom_tool_call_output].call_id
input.*[custom_tool_call_output].output
input.*[custom_tool_call_output].output.*[input_text].text
input.*[image_generation_call].revised_prompt
instructions
text.format[json_schema].name
text.format[json_schema].schema{key}
text.format[json_schema].schema{value}
text.format[json_schema].schema{deep value}
text.format[json_schema].schema{deep key}
text.format[json_schema].schema{number}
text.format[json_schema].description
tool_choice[function|custom].name
tool_choice[allowed_tools].tools.*[function|custom].name
tools.*[function].name
tools.*[function].description
tools.*[function].parameters{key}
tools.*[function].parameters{value}
tools.*[function].parameters{deep value}
tools.*[function].parameters{deep key}
tools.*[function].parameters{number}
tools.*[custom].name
tools.*[custom].description
tools.*[custom].format{key}
tools.*[custom].format{value}
tools.*[custom].format{deep value}
tools.*[custom].format{deep key}
tools.*[custom].format{number}
""",
        "stays": """
input.*[message].content.*[output_text].annotations.*{key}
input.*[message].content.*[output_text].annotations.*{value}
input.*[message].content.*[output_text].annotations.*{deep value}
input.*[message].content.*[output_text].annotations.*{deep key}
input.*[message].content.*[output_text].annotations.*{number}
input.*[message].content.*[output_text].logprobs.*{key}
input.*[message].content.*[output_text].logprobs.*{value}
input.*[message].content.*[output_text].logprobs.*{deep value}
input.*[message].content.*[output_text].logprobs.*{deep key}
input.*[message].content.*[output_text].logprobs.*{number}
input.*[message].id
input.*[function_call].id
input.*[function_call_output].id
input.*[custom_tool_call].id
input.*[custom_tool_call_output].id
input.*[image_generation_call].id
input.*[image_generation_call].result
input.*[image_generation_call].size
input.*[reasoning].id
input.*[reasoning].summary.*{key}
input.*[reasoning].summary.*{value}
input.*[reasoning].summary.*{deep value}
input.*[reasoning].summary.*{deep key}
input.*[reasoning].summary.*{number}
input.*[reasoning].content.*{key}
input.*[reasoning].content.*{value}
input.*[reasoning].content.*{deep value}
input.*[reasoning].content.*{deep key}
input.*[reasoning].content.*{number}
input.*[reasoning].encrypted_content
metadata{key}
metadata{value}
prompt_cache_key
safety_identifier
user
""",
        "native": """
input.*[message].content.*[refusal].refusal
""",
        "refused": """
tools.*[image_generation].model
model
input.*[message].content.*[input_image].image_url
input.*[function_call_output].output.*[input_image].image_url
input.*[custom_tool_call_output].output.*[input_image].image_url
previous_response_id
""",
        "closed": """
tools.*[image_generation].output_compression
tools.*[image_generation].partial_images
tools.*[image_generation].size
max_output_tokens
max_tool_calls
top_logprobs
""",
    },
    "embedding.create": {
        "stays": """
input
input.*
user
""",
        "refused": """
model
""",
        "closed": """
dimensions
""",
    },
    "image.generate": {
        "back": """
prompt
""",
        "stays": """
safety_identifier
user
""",
        "refused": """
model
""",
        "closed": """
n
size
output_compression
partial_images
frame_count
frame_duration_ms
""",
    },
    "image.edit": {
        "back": "prompt",
        "stays": """
safety_identifier
user
image.*.filename
image.*.content
mask.filename
mask.content
""",
        "refused": """
model
image.*.media_type
mask.media_type
""",
        "closed": """
n
size
output_compression
partial_images
frame_count
frame_duration_ms
""",
    },
    "video.create": {
        "back": "prompt",
        "stays": """
input_reference.filename
input_reference.content
safety_identifier
user
""",
        "refused": """
model
input_reference.media_type
""",
        "closed": """
size
seconds
""",
    },
}
