"""The methods section says what ran, with the parameters that it had, and cites whom it should."""

import re

from gradatim.pipelines.methods_text import methods_text, source_of
from gradatim.pipelines.susceptibility import SusceptibilityRoute
from gradatim.qsm.masks import BrainMask
from gradatim.qsm.tkd import ThresholdedDivision
from gradatim.qsm.two_pass import OnePass
from gradatim.qsm.vsharp import VSharp

TEXT = methods_text(SusceptibilityRoute(), opening="Data were acquired.")


def test_every_citation_has_its_reference_and_the_other_way_round() -> None:
    cited = [int(number) for paragraph in TEXT.paragraphs for number in re.findall(r"\[(\d+)\]", paragraph)]
    assert list(dict.fromkeys(cited)) == list(range(1, len(TEXT.references) + 1))
    assert len(set(TEXT.references)) == len(TEXT.references)


def test_the_references_are_those_of_the_methods() -> None:
    assert any("Zhou et al., NMR Biomed 27:312 (2014)" in reference for reference in TEXT.references)
    assert any("Dymerska" in reference for reference in TEXT.references)
    assert not any("Shmueli" in reference for reference in TEXT.references)


def test_another_method_gives_another_text() -> None:
    quick = methods_text(SusceptibilityRoute(sources=OnePass(VSharp(), ThresholdedDivision(threshold=0.2))))
    (sources,) = [paragraph for paragraph in quick.paragraphs if paragraph.startswith("Sources: ")]
    assert "ThresholdedDivision: threshold = 0.2" in sources
    assert "TotalVariation" not in "".join(quick.paragraphs)
    assert any("Shmueli" in reference for reference in quick.references)


def test_parameters_stand_in_the_text() -> None:
    text = methods_text(SusceptibilityRoute(brain=BrainMask(opening_mm=3.5)))
    assert "BrainMask: opening_mm = 3.5" in text.paragraphs[0]


def test_the_opening_comes_first_and_what_did_not_run_is_not_told() -> None:
    assert TEXT.paragraphs[0] == "Data were acquired."
    without = methods_text(SusceptibilityRoute(), unused=("brain", "segmentation"))
    assert not any(paragraph.startswith(("Brain:", "Segmentation:")) for paragraph in without.paragraphs)
    assert not any("Otsu" in reference for reference in without.references)


def test_a_source_within_a_sentence_counts_as_one() -> None:
    assert source_of(SusceptibilityRoute().extraction) == "IBSI reference manual, arXiv:1612.07003."
    assert source_of(object()) == ""
