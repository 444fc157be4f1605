"""Which adapter speaks to which kind of vendor, and over which road."""

from __future__ import annotations

from dataclasses import dataclass

from troth.gateway.vendors.azure_openai import AzureOpenAI, api_key
from troth.gateway.vendors.bedrock import Bedrock, signature
from troth.gateway.vendors.bounds import Limits
from troth.gateway.vendors.channel import Authorize, Channel
from troth.gateway.vendors.job_description import shipped
from troth.gateway.vendors.jobs_api import JobVendor, key_header
from troth.gateway.vendors.openai_compatible import OpenAICompatible
from troth.gateway.vendors.port import Vendor
from troth.gateway.vendors.record import DueDiligence
from troth.kernel.uses import Meter


@dataclass(frozen=True, slots=True)
class Building:
    """What roads to a vendor are built from. `tls12`: an exception from TLS 1.3 holds now."""

    credential: str | None
    limits: Limits
    tls12: bool = False
    meter: Meter | None = None

    def road(self, base_url: str, authorize: Authorize | None) -> Channel:
        """A channel; `authorize` None sends the credential as a bearer token."""
        return Channel(base_url, self.credential, self.limits, tls12=self.tls12, meter=self.meter, authorize=authorize)


def adapter(facts: DueDiligence, building: Building) -> tuple[Channel, Vendor]:
    """The road and who speaks over it. Raises `Unavailable` for a missing extra, credential or description."""
    speech, base_url, credential = facts.speech, facts.base_url, building.credential
    if speech.adapter == "azure-openai":
        channel = building.road(base_url, api_key(credential))
        return channel, AzureOpenAI(channel, speech.api_version or "")
    if speech.adapter == "bedrock":
        channel = building.road(base_url, signature(credential, speech.region or ""))
        return channel, Bedrock(channel)
    if speech.adapter == "jobs":
        said = shipped(speech.description or "")
        channel = building.road(base_url, key_header(said.key, said.headers, credential))
        return channel, JobVendor(channel, base_url, said, lambda place: building.road(place, _nothing))
    channel = building.road(base_url, None)
    return channel, OpenAICompatible(channel)


def _nothing(_method: str, _url: str, _sent: object) -> dict[str, str]:
    """No credential: another host than the vendor's own never sees it."""
    return {}
