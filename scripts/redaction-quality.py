"""Our redaction and presidio-analyzer on the same golden sentences, one table: run by scripts/redaction-quality.

Presidio runs with its own recognizers and a blank Russian pipeline of spaCy: it has words, but no model that knows names,
for none of its models is published as a package. Its kinds are taken for the nearest of ours; a kind it has nothing for
is left empty. Both are scored as the tests do: a mark is found when every letter and digit of it is, a finding is right
when every letter and digit of it is marked.
"""

import pathlib
import re
import subprocess
import warnings

import spacy
import tldextract
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import SpacyNlpEngine
from presidio_analyzer.predefined_recognizers import (
    CreditCardRecognizer,
    DateRecognizer,
    EmailRecognizer,
    PhoneRecognizer,
    UrlRecognizer,
)

warnings.filterwarnings("ignore")
# The list of domains it comes with, not the one it would fetch.
tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
GOLDEN = pathlib.Path("crates/redaction/tests/golden")
KINDS = ["имя", "телефон", "почта", "карта", "паспорт", "снилс", "омс", "др", "адрес", "ссылка"]
THEIRS = {
    "PHONE_NUMBER": "телефон",
    "EMAIL_ADDRESS": "почта",
    "CREDIT_CARD": "карта",
    "DATE_TIME": "др",
    "URL": "ссылка",
}


def sentences():
    """Texts and their marks, as (kind, start, end)."""
    for path in sorted(GOLDEN.glob("*/*.txt")):
        for line in path.read_text().splitlines():
            if not line or line.startswith("#"):
                continue
            text, marks, rest = "", [], 0
            for mark in re.finditer(r"\{(\w+):([^}]*)\}", line):
                text += line[rest : mark.start()]
                marks.append((mark[1], len(text), len(text) + len(mark[2])))
                text += mark[2]
                rest = mark.end()
            yield text + line[rest:], marks


def ours(texts):
    command = ["cargo", "run", "--quiet", "--package", "redaction", "--example", "quality", "--", "--find"]
    found = subprocess.run(command, input="\n".join(texts) + "\n", capture_output=True, text=True, check=True)
    for line in found.stdout.split("\n")[: len(texts)]:
        parts = [finding.split() for finding in line.split(";") if finding]
        yield [(kind, int(start), int(end)) for kind, start, end in parts]


def presidio(texts):
    engine = SpacyNlpEngine(models=[{"lang_code": "ru", "model_name": "blank"}])
    engine.nlp = {"ru": spacy.blank("ru")}
    registry = RecognizerRegistry(supported_languages=["ru"])
    for recognizer in (EmailRecognizer, CreditCardRecognizer, DateRecognizer, UrlRecognizer):
        registry.add_recognizer(recognizer(supported_language="ru"))
    registry.add_recognizer(PhoneRecognizer(supported_language="ru", supported_regions=("RU", "US", "UK")))
    analyzer = AnalyzerEngine(nlp_engine=engine, registry=registry, supported_languages=["ru"])
    for text in texts:
        results = analyzer.analyze(text, language="ru", entities=list(THEIRS))
        yield [(THEIRS[found.entity_type], found.start, found.end) for found in results]


def covered(text, one, others):
    held = {at for kind, start, end in others if kind == one[0] for at in range(start, end)}
    return all(at in held for at in range(one[1], one[2]) if text[at].isalnum())


def score(golden, found):
    scores = {kind: [0, 0, 0, 0] for kind in KINDS}
    for (text, marks), findings in zip(golden, found):
        for mark in marks:
            scores[mark[0]][0] += 1
            scores[mark[0]][1] += covered(text, mark, findings)
        for finding in findings:
            scores[finding[0]][2] += 1
            scores[finding[0]][3] += covered(text, finding, marks)
    return scores


def main():
    golden = list(sentences())
    texts = [text for text, _ in golden]
    us, them = score(golden, ours(texts)), score(golden, presidio(texts))
    print("| kind | marked | redaction: recall / precision | presidio-analyzer: recall / precision |")
    print("|---|---|---|---|")
    for kind in KINDS:
        cells = []
        for marked, hit, found, right in (us[kind], them[kind]):
            cells.append(f"{hit / marked:.3f} / {right / found:.3f}" if found else "–")
        print(f"| {kind} | {us[kind][0]} | {cells[0]} | {cells[1]} |")


main()
