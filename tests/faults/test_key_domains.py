"""A key tree over domains of different kinds, when one of them fails at the worst moment."""

from __future__ import annotations

import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from key_world import History
from root_world import PIN, Provider, bao, library, secret, tree_over
from troth.kernel.clock import SystemClock
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Gone, IntegrityError, TrothError, Unavailable
from troth.keys.domains import Domain
from troth.keys.roots.module import Worker
from troth.keys.roots.port import Root
from troth.keys.tree import KeyTree, Options, Scope, UnitRequest
from troth.keys.units import RootDestroyed, address
from troth.storage.blobs import LocalBlobs
from troth.storage.database import Database, metadata

WORKER = Path(__file__).with_name("key_domain_worker.py")
MIXTURES = [("local", "pkcs11"), ("pkcs11", "openbao")]
TENANT, ADA, BOB = "ten_a", "usr_ada", "usr_bob"


@dataclass
class Mixture:
    """A tree with a unit of Ada's and one of Bob's, over providers of different kinds."""

    folder: Path
    providers: list[Provider]
    tree: KeyTree = field(init=False)
    units: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.reopen()
        for person in (ADA, BOB):
            (made,) = self.tree.units([UnitRequest(TENANT, person, DataClass.USER_GENERATED, None)])
            self.units[person] = made.id

    def reopen(self, wrap: Callable[[int, Root], Any] = lambda _, root: root) -> KeyTree:
        """A process that starts now."""
        self.tree = tree_over(self.folder, [wrap(at, one.root()) for at, one in enumerate(self.providers)])
        self.tree.resume()
        return self.tree

    def present(self) -> list[int]:
        """How many roots each provider has."""
        return [len(one.root().present()) for one in self.providers]

    def history(self) -> History:
        """Every version of every page, as in the domains' own copies and the database."""
        known = History()
        known.add_sqlite_file(self.folder / "troth.db", self.folder / "stolen")
        for copies in self.folder.glob("copies-*"):
            files = [path for path in copies.rglob("*") if path.is_file() and not path.name.startswith(".")]
            known.add_blobs({str(path.relative_to(copies)): path.read_bytes() for path in files})
        return known

    def opens(self, history: History, person: str) -> bool:
        """True when the person's unit is found with all that was ever written and today's roots."""
        place = address(TENANT, person, self.units[person])
        return place in history.secrets([one.root() for one in self.providers])

    def refuses(self, person: str) -> bool:
        try:
            self.tree.key(self.units[person])
        except Gone:
            return True
        return False


@pytest.fixture(params=MIXTURES, ids="+".join)
def mixture(request: pytest.FixtureRequest, tmp_path: Path) -> Mixture:
    return Mixture(tmp_path, [Provider(kind, tmp_path / kind) for kind in request.param])


CLASSES = {"local": "A0", "pkcs11": "A0", "openbao": "A1"}


def certified(mixture: Mixture, roots: tuple[RootDestroyed, ...]) -> None:
    """Each domain says of its root what it did, in its own class."""
    expected = {one.domain: CLASSES[one.kind] for one in mixture.providers}
    assert {one.domain: one.assurance for one in roots} == expected
    assert all(one.evidence.endswith(";lookup:absent;canary:refused") for one in roots)


def test_erased_in_both(mixture: Mixture) -> None:
    before = mixture.history()
    assert mixture.opens(before, ADA)
    proof = mixture.tree.destroy_subject(TENANT, ADA)
    certified(mixture, proof.roots)
    assert mixture.present() == [1, 1]
    after = mixture.history()
    after.pages |= {page: after.pages.get(page, set()) | versions for page, versions in before.pages.items()}
    after.manifests |= before.manifests
    assert not mixture.opens(after, ADA)
    assert mixture.opens(after, BOB)
    assert mixture.refuses(ADA)
    assert mixture.reopen().key(mixture.units[BOB])


@pytest.mark.parametrize("lost", [0, 1])
def test_either_domain_alone_opens_the_tree(mixture: Mixture, lost: int) -> None:
    roots = [one.root() for one in mixture.providers]
    tree = tree_over(mixture.folder, [roots[1 - lost]])
    assert tree.key(mixture.units[BOB])


class Leaving:
    """A root whose provider goes away before an act."""

    def __init__(self, inner: Root, act: str, leave: Callable[[], None]) -> None:
        self._inner, self._act, self._leave = inner, act, leave

    def __getattr__(self, name: str) -> Any:
        if name == self._act:
            self._act = ""
            self._leave()
        return getattr(self._inner, name)


@pytest.mark.parametrize("act", ["create", "seal", "open", "present", "destroy"])
@pytest.mark.parametrize("which", [0, 1])
def test_a_domain_that_goes_away_in_the_middle(mixture: Mixture, which: int, act: str) -> None:
    """Live at once, no proof while a domain is away, the proof when it is back, and the work goes on without it."""
    leaving = mixture.providers[which]
    tree = mixture.reopen()
    revocation = tree.revoke(Scope.of_subject(TENANT, ADA))
    state = tree._state.epochs
    domain = state.domains[which]
    state.domains = [
        type(one)(Leaving(one.root, act, leaving.away), one.blobs) if one is domain else one for one in state.domains
    ]
    with pytest.raises(Unavailable):
        tree.seal([revocation])
    assert mixture.refuses(ADA)
    assert tree.key(mixture.units[BOB])
    with pytest.raises(Unavailable):
        tree.seal([revocation])
    leaving.back()
    proof = tree.seal([revocation])
    assert {one.domain for one in proof.roots} == {one.domain for one in mixture.providers}
    assert mixture.present() == [1, 1]
    assert mixture.reopen().key(mixture.units[BOB])
    assert mixture.refuses(ADA)


@pytest.mark.parametrize(
    ("which", "act", "count"),
    [(1, "create", 1), (1, "seal", 2), (0, "destroy", 1), (1, "destroy", 1)],
)
def test_killed_in_the_middle_and_between_domains(mixture: Mixture, which: int, act: str, count: int) -> None:
    command = [sys.executable, str(WORKER), str(mixture.folder), pickle.dumps(mixture.providers).hex()]
    command += [TENANT, ADA, str(which), act, str(count)]
    killed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, ""), killed.stderr
    tree = mixture.reopen()
    assert mixture.refuses(ADA)
    assert mixture.present() == [1, 1]
    certified(mixture, tree.destroy_subject(TENANT, ADA).roots)
    assert tree.key(mixture.units[BOB])


def test_a_token_from_a_copy_of_its_folder_is_noticed_and_emptied_again(tmp_path: Path) -> None:
    """SoftHSM's folder from a snapshot: the root is back, which is why such a token is A0."""
    mixture = Mixture(tmp_path, [Provider(kind, tmp_path / kind) for kind in ("local", "pkcs11")])
    token = mixture.providers[1]
    shutil.copytree(token.folder / "tokens", tmp_path / "snapshot")
    before = mixture.history()
    mixture.tree.destroy_subject(TENANT, ADA)
    assert not mixture.opens(before, ADA)
    shutil.rmtree(token.folder / "tokens")
    shutil.copytree(tmp_path / "snapshot", token.folder / "tokens")
    Worker.of(library())._restart()  # a module that runs does not look for what was put under its feet
    assert mixture.opens(before, ADA)
    with pytest.raises(TrothError) as refused:
        mixture.reopen()
    assert isinstance(refused.value, IntegrityError)
    assert refused.value.code == "root-returned"
    assert not mixture.opens(before, ADA)


def test_an_exchanged_token_confirms_nothing(tmp_path: Path) -> None:
    mixture = Mixture(tmp_path, [Provider(kind, tmp_path / kind) for kind in ("local", "pkcs11")])
    revocation = mixture.tree.revoke(Scope.of_subject(TENANT, ADA))
    token = mixture.providers[1]
    (token.folder / "tokens").rename(tmp_path / "drawer")
    Provider("pkcs11", token.folder, token.domain)
    with pytest.raises(Unavailable):
        mixture.tree.seal([revocation])
    shutil.rmtree(token.folder / "tokens")
    (tmp_path / "drawer").rename(token.folder / "tokens")
    assert len(mixture.tree.seal([revocation]).roots) == 2


@pytest.mark.parametrize(
    ("kinds", "which"),
    [(("local", "pkcs11"), 0), (("local", "pkcs11"), 1), (("pkcs11", "openbao"), 0), (("pkcs11", "openbao"), 1)],
)
def test_a_start_without_one_domain_reads_and_erases_live_and_ends_by_itself(
    tmp_path: Path, kinds: tuple[str, str], which: int
) -> None:
    """What stands alone opens; nothing is certified until the other is back; then the job completes it."""
    mixture = Mixture(tmp_path, [Provider(kind, tmp_path / kind) for kind in kinds])
    leaving = mixture.providers[which]
    mixture.tree.rotate()
    leaving.away()
    if leaving.kind == "pkcs11":
        Worker.of(library())._restart()  # a process that starts now has not loaded it
    tree = tree_over(mixture.folder, [one.root() for one in mixture.providers])
    assert tree.resume() is False
    mixture.tree = tree
    assert list(tree.absent) == [leaving.domain]
    assert tree.key(mixture.units[BOB])
    (made,) = tree.units([UnitRequest(TENANT, BOB, DataClass.USER_GENERATED, None)])
    revocation = tree.revoke(Scope.of_subject(TENANT, ADA))
    assert mixture.refuses(ADA)
    for _ in range(3):
        with pytest.raises(Unavailable) as refused:
            tree.seal([revocation])
        assert refused.value.code == "seal-pending"
        with pytest.raises(Unavailable):
            tree.rotate()
    assert tree.finish() is False
    assert tree.epoch == 2
    there = mixture.providers[1 - which].root()
    assert len(there.present()) == 1, "vain attempts leave no roots"
    leaving.back()
    assert tree.finish() is True
    assert tree.absent == {}
    certified(mixture, tree.seal([revocation]).roots)
    assert mixture.reopen().key(made.id) == made


def test_a_root_that_waits_for_an_absent_domain_is_destroyed_by_the_job(tmp_path: Path) -> None:
    mixture = Mixture(tmp_path, [Provider(kind, tmp_path / kind) for kind in ("local", "openbao")])
    leaving = mixture.providers[1]
    state = mixture.tree._state.epochs
    local, service = state.domains
    gone = Leaving(service.root, "destroy", leaving.away)
    state.domains = [local, type(service)(gone, service.blobs)]  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        mixture.tree.rotate()
    tree = tree_over(tmp_path, [one.root() for one in mixture.providers])
    assert tree.resume() is False
    assert tree.finish() is False
    leaving.back()
    assert mixture.present() == [1, 2]
    assert tree.finish() is True
    assert mixture.present() == [1, 1]
    assert tree.finish() is True


def test_a_split_root_needs_every_domain_at_the_start(tmp_path: Path) -> None:
    providers = [Provider(kind, tmp_path / kind) for kind in ("local", "pkcs11")]
    split_over(tmp_path, providers).resume()
    providers[1].away()
    Worker.of(library())._restart()
    with pytest.raises(Unavailable) as refused:
        split_over(tmp_path, providers).resume()
    assert refused.value.code == "hsm-offline"
    providers[1].back()
    assert split_over(tmp_path, providers).resume()


def split_over(folder: Path, providers: list[Provider]) -> KeyTree:
    database = Database(f"sqlite:///{folder}/troth.db")
    metadata.create_all(database.engine)
    domains = [Domain(root, LocalBlobs(folder / f"copies-{root.domain}")) for root in [one.root() for one in providers]]
    return KeyTree(database, domains, SystemClock(), options=Options(split=True))


def test_no_start_when_no_domain_answers(tmp_path: Path) -> None:
    token = Provider("pkcs11", tmp_path / "pkcs11")
    Mixture(tmp_path, [token])
    token.away()
    with pytest.raises(Unavailable):
        tree_over(tmp_path, [token.root()]).resume()
    token.back()


def test_a_snapshot_that_comes_back_after_a_start_without_it_is_noticed(tmp_path: Path) -> None:
    mixture = Mixture(tmp_path, [Provider(kind, tmp_path / kind) for kind in ("local", "pkcs11")])
    token = mixture.providers[1]
    shutil.copytree(token.folder / "tokens", tmp_path / "snapshot")
    mixture.tree.destroy_subject(TENANT, ADA)
    token.away()
    Worker.of(library())._restart()
    tree = tree_over(tmp_path, [one.root() for one in mixture.providers])
    assert tree.resume() is False
    shutil.copytree(tmp_path / "snapshot", token.folder / "tokens")
    with pytest.raises(IntegrityError) as refused:
        tree.finish()
    assert refused.value.code == "root-returned"


def test_a_stranger_that_comes_back_shuts_the_tree(tmp_path: Path) -> None:
    mixture = Mixture(tmp_path, [Provider(kind, tmp_path / kind) for kind in ("local", "pkcs11")])
    token = mixture.providers[1]
    token.root().create("eu-00000009-00112233aabbccdd")  # as when the database were older than the token
    token.away()
    Worker.of(library())._restart()
    tree = tree_over(tmp_path, [one.root() for one in mixture.providers])
    assert tree.resume() is False
    assert tree.key(mixture.units[BOB])
    token.back()
    with pytest.raises(IntegrityError) as refused:
        tree.finish()
    assert refused.value.code == "unknown-root"
    with pytest.raises(IntegrityError):
        tree.key(mixture.units[BOB])


def test_an_exchanged_token_is_refused_at_the_start_and_when_it_comes_back(tmp_path: Path) -> None:
    mixture = Mixture(tmp_path, [Provider(kind, tmp_path / kind) for kind in ("local", "pkcs11")])
    token = mixture.providers[1]
    token.away()
    Worker.of(library())._restart()
    tree = tree_over(tmp_path, [one.root() for one in mixture.providers])
    assert tree.resume() is False
    Provider("pkcs11", token.folder, token.domain)
    for act in (tree.finish, tree_over(tmp_path, [one.root() for one in mixture.providers]).resume):
        with pytest.raises(Unavailable) as refused:
            act()
        assert refused.value.code == "root-provider-changed"


def wrong_pin(provider: Provider) -> Callable[[], object]:
    """The PIN file holds another PIN; what puts it right."""
    secret(provider.place.pin_file, "11112222")
    return lambda: secret(provider.place.pin_file, PIN)


def no_library(provider: Provider) -> Callable[[], object]:
    right = provider.place
    provider.place = replace(right, library=Path("/nowhere.so"))
    return lambda: setattr(provider, "place", right)


def revoked_token(provider: Provider) -> Callable[[], object]:
    made = bao().ask("POST", "auth/token/create", policies=["root"])
    secret(provider.place.token_file, made["auth"]["client_token"])
    provider.root().present()  # it was good until now
    bao().ask("POST", "auth/token/revoke", token=made["auth"]["client_token"])
    return lambda: secret(provider.place.token_file, bao().token)


def no_mount(provider: Provider) -> Callable[[], object]:
    right = provider.place
    provider.place = replace(right, mount="elsewhere")
    return lambda: setattr(provider, "place", right)


@pytest.mark.parametrize(
    ("kind", "break_it", "code"),
    [
        ("pkcs11", wrong_pin, "hsm-pin"),
        ("pkcs11", no_library, "hsm-library"),
        ("openbao", revoked_token, "openbao-denied"),
        ("openbao", no_mount, "openbao-mount"),
    ],
)
def test_a_setting_that_does_not_lead_to_the_provider_is_no_reason_not_to_start(
    tmp_path: Path, kind: str, break_it: Callable[[Provider], Callable[[], object]], code: str
) -> None:
    """The other domain opens; who is missing and why is said; an erasure is live, and certified when all is right."""
    mixture = Mixture(tmp_path, [Provider(one, tmp_path / one) for one in ("local", kind)])
    wrong = mixture.providers[1]
    Worker.of(library())._restart()
    put_right = break_it(wrong)
    tree = tree_over(mixture.folder, [one.root() for one in mixture.providers])
    assert tree.resume() is False
    assert tree.absent == {wrong.domain: code}
    mixture.tree = tree
    assert tree.key(mixture.units[BOB])
    revocation = tree.revoke(Scope.of_subject(TENANT, ADA))
    assert mixture.refuses(ADA)
    with pytest.raises(Unavailable) as refused:
        tree.seal([revocation])
    assert refused.value.code == "seal-pending"
    put_right()
    later = tree_over(mixture.folder, [one.root() for one in mixture.providers])
    assert later.resume() is True
    certified(mixture, later.seal([revocation]).roots)
