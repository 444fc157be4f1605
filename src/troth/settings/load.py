"""Read settings from the environment (TROTH_SECTION__FIELD) and `troth.toml`; the environment wins."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource
from pydantic_settings.exceptions import SettingsError

from troth.kernel.errors import Invalid
from troth.settings import key_domains, sections
from troth.settings.limits import Limits

PREFIX = "TROTH_"
# Read by the command line client, not by the server.
_CLIENT_NAMES = frozenset({"TROTH_CONFIG", "TROTH_URL", "TROTH_API_KEY", "TROTH_SESSION", "TROTH_CA", "TROTH_DEVICE"})
_TEST_PREFIX = "TROTH_TEST_"


class Settings(BaseSettings):
    """All sections. Build it with `load`; it never changes afterwards."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    data: sections.Data = Field(default_factory=sections.Data)
    keys: key_domains.Keys = Field(default_factory=key_domains.Keys)
    server: sections.Server = Field(default_factory=sections.Server)
    identity: sections.Identity = Field(default_factory=sections.Identity)
    retention: sections.Retention = Field(default_factory=sections.Retention)
    governance: sections.Governance = Field(default_factory=sections.Governance)
    erasure: sections.Erasure = Field(default_factory=sections.Erasure)
    clocks: sections.Clocks = Field(default_factory=sections.Clocks)
    scrub: sections.Scrub = Field(default_factory=sections.Scrub)
    audit: sections.Audit = Field(default_factory=sections.Audit)
    reviews: sections.Reviews = Field(default_factory=sections.Reviews)
    access: sections.Access = Field(default_factory=sections.Access)
    gateway: sections.Gateway = Field(default_factory=sections.Gateway)
    limits: Limits = Field(default_factory=Limits)
    rights: sections.Rights = Field(default_factory=sections.Rights)
    mail: sections.Mail = Field(default_factory=sections.Mail)
    promises: sections.Promises = Field(default_factory=sections.Promises)
    backup: sections.Backup = Field(default_factory=sections.Backup)
    telemetry: sections.Telemetry = Field(default_factory=sections.Telemetry)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        config = os.environ.get("TROTH_CONFIG", "troth.toml")
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, Path(config))


def load(**overrides: Any) -> Settings:
    """The settings of this process. Raises `Invalid` naming the first setting that is unknown or out of range."""
    _refuse_unknown(os.environ)
    config = os.environ.get("TROTH_CONFIG")
    if config and not Path(config).exists():
        raise Invalid("TROTH_CONFIG names no file; correct it, or leave it out.", code="bad-setting")
    try:
        return _checked(Settings(**overrides))
    except tomllib.TOMLDecodeError as error:
        raise Invalid("The settings file is not valid TOML; correct it.", code="bad-setting") from error
    except SettingsError as error:  # lists and tables in the environment are JSON
        raise Invalid("A setting in the environment is not valid JSON; correct it.", code="bad-setting") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Invalid(f"The setting '{place}' is not valid: {first['msg']}.", code="bad-setting") from error


def _checked(settings: Settings) -> Settings:
    folder, keys = settings.data.folder.resolve(), settings.data.keys.resolve()
    if folder.is_relative_to(keys) or keys.is_relative_to(folder):
        raise Invalid(
            "The keys folder and the data folder must not lie inside each other: a copy of one would undo erasures.",
            code="bad-setting",
        )
    for url in (settings.data.database_url, settings.data.database_owner_url):
        if url and not url.startswith(("postgresql:", "postgresql+psycopg:", "sqlite:")):
            raise Invalid("A database URL must begin with postgresql+psycopg://.", code="bad-setting")
    key_domains.require_apart(settings.keys, settings.data)
    return settings


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    known = {
        f"{PREFIX}{section}__{field}".upper()
        for section, info in Settings.model_fields.items()
        for field in _fields(info.annotation)
    }
    for name in environment:
        upper = name.upper()
        if upper.startswith(PREFIX) and upper not in known | _CLIENT_NAMES and not upper.startswith(_TEST_PREFIX):
            raise Invalid(f"The environment names '{name}', which is no setting of Troth.", code="unknown-setting")


def _fields(section: Any) -> list[str]:
    return list(section.model_fields) if isinstance(section, type) and issubclass(section, BaseModel) else []
