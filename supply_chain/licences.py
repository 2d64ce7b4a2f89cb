"""Under which licence a package or a jar comes, as an SPDX expression, who says so, and whether we may ship it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from license_expression import get_spdx_licensing  # type: ignore[import-untyped] # it ships no types

if TYPE_CHECKING:
    from importlib.metadata import Distribution

    from supply_chain.jars import Jar

AMAZON: Final = "LicenseRef-.amazon.com.-AmznSL-1.0"
_DUAL_LOGBACK: Final = (
    "http://www.eclipse.org/legal/epl-v10.html, http://www.gnu.org/licenses/old-licenses/lgpl-2.1.html"
)

# What we ship comes under one of these; docs/licences.md says what each asks for.
ALLOWED: Final = frozenset(
    {
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC0-1.0",
        "EPL-1.0",
        "EPL-2.0",
        "ISC",
        "MIT",
        "MIT-0",
        "MPL-2.0",
        "PSF-2.0",
        "GPL-2.0-only WITH Classpath-exception-2.0",  # the JRE
        AMAZON,  # dynamodb-lock-client, which the KCL needs
    }
)

# How metadata names licences, in lower case, "http" for "https" and without ".txt".
_SPDX: Final = {
    "amazon software license": AMAZON,
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "apache-2.0": "Apache-2.0",
    "bsd-3-clause": "BSD-3-Clause",
    "http://aws.amazon.com/apache2.0": "Apache-2.0",
    "http://opensource.org/licenses/bsd-3-clause": "BSD-3-Clause",
    "http://www.apache.org/licenses/license-2.0": "Apache-2.0",
    "http://www.opensource.org/licenses/mit-license.php": "MIT",
    "isc license": "ISC",
    "mit": "MIT",
    "mit license": "MIT",
    "the apache software license, version 2.0": "Apache-2.0",
    _DUAL_LOGBACK: "EPL-1.0 OR LGPL-2.1-only",
}

# What metadata does not tell, looked up by hand: a new version is to be looked at anew.
_LOOKED_UP: Final = {
    ("amazon-kinesis-client-multilang", "3.1.3"): ("Apache-2.0", "head of its pom.xml"),
    ("animal-sniffer-annotations", "1.20"): ("MIT", "head of its pom.xml"),
    ("jcommander", "1.82"): ("Apache-2.0", "its pom.xml in the Maven repository"),
    ("python-dateutil", "2.9.0.post0"): ("BSD-3-Clause", "its LICENSE: all of it; what is newer Apache-2.0 as well"),
    ("reactive-streams", "1.0.3"): ("CC0-1.0", "its pom.xml in the Maven repository"),
    ("snowplow-analytics-sdk", "0.2.3"): ("Apache-2.0", "head of its sources"),
}

_spdx: Final[Any] = get_spdx_licensing()


class UnknownLicenceError(Exception):
    """Nobody says under which licence something comes; the message names it and says what to do."""


@dataclass(frozen=True, slots=True)
class Licence:
    """An SPDX expression, and who says so."""

    expression: str
    told_by: str


def licence_of_package(package: Distribution) -> Licence:
    """By its metadata, else as looked up."""
    metadata = package.metadata
    if "License-Expression" in metadata:
        return Licence(metadata["License-Expression"], "License-Expression")
    if "License" in metadata and (spdx := _named(metadata["License"])):
        return Licence(spdx, "License")
    classifiers = [line for line in metadata.get_all("Classifier") or [] if line.startswith("License ::")]
    if len(classifiers) == 1 and (spdx := _named(classifiers[0].rpartition(" :: ")[2])):
        return Licence(spdx, "classifier")
    return _looked_up(metadata["Name"].replace("_", "-"), package.version)


def licence_of_jar(jar: Jar) -> Licence:
    """By its pom, its manifest or the text it carries, else as looked up."""
    named = [_named(name) for name in jar.pom_licences]
    if named and all(named):
        return Licence(" OR ".join(sorted(set(filter(None, named)))), "pom.xml")
    if spdx := _named(jar.bundle_licence):
        return Licence(spdx, "manifest")
    head = " ".join(jar.licence_text.split())[:200]
    if "Apache License" in head and "Version 2.0" in head:
        return Licence("Apache-2.0", "META-INF/LICENSE")
    return _looked_up(jar.artifact, jar.version)


def is_allowed(expression: str) -> bool:
    """Whether we may ship what comes under it: of an OR one side is enough, of an AND it takes all."""
    return _is_allowed(_spdx.parse(expression, validate=True))


def _is_allowed(node: Any) -> bool:
    if isinstance(node, _spdx.OR):
        return any(_is_allowed(part) for part in node.args)
    if isinstance(node, _spdx.AND):
        return all(_is_allowed(part) for part in node.args)
    return str(node) in ALLOWED


def _named(name: str) -> str | None:
    plain = name.strip().lower().replace("https://", "http://").removesuffix(".txt")
    return _SPDX.get(plain)


def _looked_up(name: str, version: str) -> Licence:
    try:
        return Licence(*_LOOKED_UP[name, version])
    except KeyError:
        raise UnknownLicenceError(
            f"{name} {version} does not say under which licence it comes: look it up, and add it to _LOOKED_UP"
        ) from None
