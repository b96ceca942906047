"""What a rebuild came to, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.cli.printing.lines import say

if TYPE_CHECKING:
    from api.documents.operation import Rebuilt


def rebuilt(models: Rebuilt, language: str) -> None:
    """Whether each read model was what the ledger makes of it, and its digest now."""
    for name, model in models.items():
        say(
            language,
            f"{name}：{'一致' if model.same else '不一致，已按账本重建'}　{model.after}",
            f"{name}: {'same' if model.same else 'DIFFERED, now as the ledger says'}  "
            f"{model.after}",
        )
