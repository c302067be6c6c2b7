"""Which cards CUDA shows to this process, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tts_toolkit.devices.machine import Card, Machine


def visible_cards(machine: Machine) -> tuple[Card, ...]:
    """The cards that CUDA shows, as it numbers them: the first is cuda:0.

    Where the CUDA driver told its order, that is it; NVML numbers by the place on the bus, CUDA by
    speed unless CUDA_DEVICE_ORDER says otherwise. Else CUDA_VISIBLE_DEVICES is read by the rules of
    the CUDA programming guide.
    """
    by_uuid = {card.uuid: card for card in machine.cards}
    if machine.cuda_order is not None:
        return tuple(by_uuid[uuid] for uuid in machine.cuda_order if uuid in by_uuid)
    if machine.visible_devices is None:
        return _one_instance(machine.cards)
    shown: list[Card] = []
    for entry in machine.visible_devices.split(","):
        card = _named(entry.strip(), machine.cards)
        # The first entry that is nothing ends the list; one that is there twice voids it.
        if card is None:
            break
        if card in shown:
            return ()
        shown.append(card)
    return _one_instance(tuple(shown))


def _named(entry: str, cards: tuple[Card, ...]) -> Card | None:
    """A card by its number among those that are not instances, or by the start of its uuid."""
    if entry.isdigit():
        whole = [card for card in cards if not card.is_instance] or list(cards)
        return whole[int(entry)] if int(entry) < len(whole) else None
    if not entry.startswith(("GPU-", "MIG-")):
        return None
    found = [card for card in cards if card.uuid.startswith(entry)]
    return found[0] if len(found) == 1 else None


def _one_instance(cards: tuple[Card, ...]) -> tuple[Card, ...]:
    """CUDA shows one process one MIG instance, and no card beside it."""
    instances = [card for card in cards if card.is_instance]
    return (instances[0],) if instances else cards
