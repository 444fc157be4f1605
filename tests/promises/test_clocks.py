"""Time: without a server nothing is claimed, a clock that is off is red, one that agrees is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from promise_world import named, shown
from troth.audit import cosigned_notes
from troth.audit.cosignature import Ed25519Cosigner
from troth.audit.cosigned_notes import CosignedNote
from troth.audit.note import Note, NoteSignature
from troth.kernel.clock import epoch_ms
from troth.kernel.scope import SYSTEM
from troth.promises.check import Check, Result
from troth.promises.checks import clocks
from troth.promises.status import Run
from troth.promises.system import System
from troth.telemetry.network_time import NetworkTime


def test_without_a_server_it_is_not_configured(run_once: Callable[[Check], Run]) -> None:
    run = run_once(clocks.CHECKS[0])
    assert (run.result, run.control) == (Result.NOT_CONFIGURED, Result.FAIL)


def test_a_clock_that_agrees_is_kept_and_silence_is_not(system: System) -> None:
    def with_server(server: str) -> System:
        network_time = NetworkTime([server], 500, system.base.outbox, system.base.clock)
        return replace(system, base=replace(system.base, network_time=network_time))

    check = named(clocks.CHECKS, "clock-agrees")
    with clocks.time_server(0.0) as fit, clocks.time_server(-5.0) as wrong:
        assert shown(check, with_server(fit)) is Result.PASS
        assert shown(check, with_server(wrong)) is Result.FAIL
    assert shown(check, with_server("127.0.0.1:none")) is Result.ERROR


def test_times_of_witnesses_are_compared_with_ours(system: System) -> None:
    check = named(clocks.CHECKS, "witnesses-agree-on-time")
    assert shown(check, system) is Result.NOT_CONFIGURED
    signer, text = Ed25519Cosigner("witness.example", b"w" * 32), "troth.example/log/operator\n1\nAAAA\n"
    now = epoch_ms(system.base.clock.now())
    for seconds, result in ((0, Result.PASS), (-3600, Result.FAIL), (3600, Result.FAIL)):
        log = NoteSignature("troth.example/log/operator", b"k" * 4, b"s" * 64)
        note = Note(text, (log, signer.cosign(text, now // 1000 + seconds)))
        with system.base.database.write(SYSTEM) as connection:
            cosigned_notes.replace(connection, [("operator", CosignedNote(1, note.encode(), now))])
        assert shown(check, system) is result
    with system.base.database.write(SYSTEM) as connection:
        connection.execute(cosigned_notes.audit_witnessed.delete())
