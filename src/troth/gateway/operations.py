"""What doors may call of the gateway. OpenAI's routes keep OpenAI's paths and names."""

from __future__ import annotations

from troth.gateway.assets import Assets
from troth.gateway.chat import ChatDesk
from troth.gateway.files import Files
from troth.gateway.images import ImageDesk
from troth.gateway.models import ModelList
from troth.gateway.receipts import Receipts
from troth.gateway.vendors.record import VendorRecord
from troth.gateway.vendors.registry import Vendors
from troth.gateway.wire import vendors as vendor_wire
from troth.gateway.wire.chat import CompleteChat, Completion
from troth.gateway.wire.files import CreateFile, FileById, FileDeleted, FileObject, FileObjects, ListFiles
from troth.gateway.wire.images import EditImages, GenerateImages, Images
from troth.gateway.wire.models import ListModels, Model, Models, ShowModel
from troth.gateway.wire.receipts import OpenAsset, Receipt, ShowReceipt
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Binary, Call, Group, Route, Stream, operation

_CHAT_BYTES = 32 << 20  # inline pictures
_UPLOAD_BYTES = 32 << 20
_OWN = DataClass.USER_GENERATED


class GatewayOperations:
    """Generation and what belongs to it."""

    def __init__(
        self, chat: ChatDesk, images: ImageDesk, *, files: Files, models: ModelList, receipts: Receipts, assets: Assets
    ) -> None:
        self._chat = chat
        self._images = images
        self._files = files
        self._models = models
        self._receipts = receipts
        self._assets = assets

    @operation("chat.complete", group=Group.GENERATE, request=CompleteChat, data_class=_OWN,
               route=Route("POST", "/v1/chat/completions", max_bytes=_CHAT_BYTES))  # fmt: skip
    async def complete_chat(self, call: Call, request: CompleteChat) -> Completion | Stream:
        """Answer a conversation, whole or streamed; the vendor sees placeholders, the caller the real text."""
        return await self._chat.complete(call, request)

    @operation("image.generate", group=Group.GENERATE, request=GenerateImages, data_class=_OWN,
               route=Route("POST", "/v1/images/generations"))  # fmt: skip
    async def generate_images(self, call: Call, request: GenerateImages) -> Images | Stream:
        """Make pictures from a prompt, with content credentials."""
        return await self._images.generate(call, request)

    @operation("image.edit", group=Group.GENERATE, request=EditImages, data_class=_OWN,
               route=Route("POST", "/v1/images/edits", body="multipart", max_bytes=_UPLOAD_BYTES))  # fmt: skip
    async def edit_images(self, call: Call, request: EditImages) -> Images | Stream:
        """Change uploaded pictures; their personal metadata is removed first."""
        return await self._images.edit(call, request)

    @operation("model.list", group=Group.GENERATE, request=ListModels, command=("model", "list"), quick=True,
               route=Route("GET", "/v1/models", body="none"))  # fmt: skip
    def list_models(self, call: Call, request: ListModels) -> Models:  # noqa: ARG002
        """List the models that may be used now."""
        return self._models.all(call)

    @operation("model.show", group=Group.GENERATE, request=ShowModel, command=("model", "show"), quick=True,
               route=Route("GET", "/v1/models/{model}", body="none"))  # fmt: skip
    def show_model(self, call: Call, request: ShowModel) -> Model:
        """Show one model."""
        return self._models.one(call, request.model)

    @operation("file.create", group=Group.GENERATE, request=CreateFile, data_class=_OWN,
               route=Route("POST", "/v1/files", body="multipart", max_bytes=_UPLOAD_BYTES))  # fmt: skip
    def create_file(self, call: Call, request: CreateFile) -> FileObject:
        """Keep a file, sealed and with an end."""
        return self._files.create(call, request)

    @operation("file.list", group=Group.OWN_DATA, request=ListFiles, command=("file", "list"), data_class=_OWN,
               route=Route("GET", "/v1/files", body="none"))  # fmt: skip
    def list_files(self, call: Call, request: ListFiles) -> FileObjects:
        """List one's own files."""
        return self._files.page(call, request)

    @operation("file.show", group=Group.OWN_DATA, request=FileById, command=("file", "show"), data_class=_OWN,
               route=Route("GET", "/v1/files/{file_id}", body="none"))  # fmt: skip
    def show_file(self, call: Call, request: FileById) -> FileObject:
        """Show one file."""
        return self._files.show(call, request.file_id)

    @operation("file.content", group=Group.OWN_DATA, request=FileById, data_class=_OWN,
               route=Route("GET", "/v1/files/{file_id}/content", body="none"))  # fmt: skip
    def open_file(self, call: Call, request: FileById) -> Binary:
        """Download one file."""
        return self._files.content(call, request.file_id)

    @operation("file.delete", group=Group.OWN_DATA, request=FileById, command=("file", "delete"), data_class=_OWN,
               route=Route("DELETE", "/v1/files/{file_id}", body="none"))  # fmt: skip
    def delete_file(self, call: Call, request: FileById) -> FileDeleted:
        """Delete one file and everything derived from it."""
        self._files.delete(call, request.file_id)
        return FileDeleted(id=request.file_id)

    @operation("receipt.show", group=Group.OWN_DATA, request=ShowReceipt, command=("receipt", "show"),
               data_class=_OWN, route=Route("GET", "/v1/receipts/{request_id}", body="none"))  # fmt: skip
    def show_receipt(self, call: Call, request: ShowReceipt) -> Receipt:
        """Show what a vendor received for one of one's own requests, and on which terms."""
        return self._receipts.show(call.tenant, call.subject, request.request_id)

    @operation("asset.open", group=Group.PUBLIC, request=OpenAsset, data_class=_OWN,
               route=Route("GET", "/v1/assets/{token}", body="none"))  # fmt: skip
    def open_asset(self, call: Call, request: OpenAsset) -> Binary:
        """Open a picture by the link that came with it; links end within the hour."""
        object_id, content = self._assets.open(request.token, call.caller)
        call.note(object=object_id)
        return content


class VendorOperations:
    """The vendors on file, for operators."""

    def __init__(self, vendors: Vendors) -> None:
        self._vendors = vendors

    @operation("vendor.list", group=Group.OPERATE, request=vendor_wire.ListVendors, command=("vendor", "list"),
               route=Route("GET", "/v1/vendors", body="none"))  # fmt: skip
    def list(self, call: Call, request: vendor_wire.ListVendors) -> vendor_wire.Vendors:  # noqa: ARG002
        """List the vendors with their papers and states."""
        return vendor_wire.Vendors(vendors=self._vendors.all())

    @operation("vendor.show", group=Group.OPERATE, request=vendor_wire.VendorById, command=("vendor", "show"),
               route=Route("GET", "/v1/vendors/{vendor_id}", body="none"))  # fmt: skip
    def show(self, call: Call, request: vendor_wire.VendorById) -> VendorRecord:  # noqa: ARG002
        """Show one vendor."""
        return self._vendors.get(request.vendor_id)

    @operation("vendor.add", group=Group.OPERATE, request=vendor_wire.AddVendor, command=("vendor", "add"),
               route=Route("POST", "/v1/vendors", status=201))  # fmt: skip
    def add(self, call: Call, request: vendor_wire.AddVendor) -> VendorRecord:
        """Put a vendor on file as a draft."""
        call.note(vendor=request.vendor_id, state="draft")
        return self._vendors.add(request.vendor_id, request.facts, request.credential, call.caller.actor)

    @operation("vendor.amend", group=Group.OPERATE, request=vendor_wire.AddVendor, command=("vendor", "amend"),
               route=Route("PUT", "/v1/vendors/{vendor_id}"))  # fmt: skip
    def amend(self, call: Call, request: vendor_wire.AddVendor) -> VendorRecord:
        """Replace what is on file; the vendor is a draft again until somebody else approves it."""
        call.note(vendor=request.vendor_id, state="draft")
        return self._vendors.amend(request.vendor_id, request.facts, request.credential, call.caller.actor)

    @operation("vendor.approve", group=Group.OPERATE, request=vendor_wire.DecideVendor, command=("vendor", "approve"),
               route=Route("POST", "/v1/vendors/{vendor_id}/approval"))  # fmt: skip
    def approve(self, call: Call, request: vendor_wire.DecideVendor) -> VendorRecord:
        """Approve a vendor whose review is complete; somebody other than its requester must do it."""
        call.note(vendor=request.vendor_id, state="approved")
        return self._vendors.approve(request.vendor_id, call.caller.actor)

    @operation("vendor.suspend", group=Group.OPERATE, request=vendor_wire.DecideVendor, command=("vendor", "suspend"),
               route=Route("DELETE", "/v1/vendors/{vendor_id}/approval", body="none"))  # fmt: skip
    def suspend(self, call: Call, request: vendor_wire.DecideVendor) -> VendorRecord:
        """Stop every further call to a vendor."""
        call.note(vendor=request.vendor_id, state="suspended")
        return self._vendors.suspend(request.vendor_id, call.caller.actor)
