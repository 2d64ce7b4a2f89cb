"""A bill of materials as CycloneDX JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.contrib.this.builders import this_component
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component as Entry
from cyclonedx.model.component import ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from supply_chain.inventory import Component

_PLATFORMS: Final = {"cpython", "openjdk"}
_licences: Final = LicenseFactory()


def bill(image: str, version: str, components: Iterable[Component]) -> str:
    """The document of one image of Headcount, made of these components."""
    root = Entry(
        name=image,
        group="headcount",
        version=version,
        type=ComponentType.CONTAINER,
        bom_ref=f"headcount/{image}",
        licenses=[_licences.make_from_string("Apache-2.0")],
        purl=PackageURL("generic", "headcount", image, version),
    )
    entries = [_entry(component) for component in components]
    bom = Bom(components=entries)
    bom.metadata.component = root
    bom.metadata.tools.components.add(this_component())
    bom.register_dependency(root, entries)
    return make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2)


def _entry(component: Component) -> Entry:
    purl, licence = component.purl, component.licence
    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=sha256) for sha256 in component.sha256]
    is_file = purl.type == "maven"
    # A jar is one file. A Python package has one per platform: an image installed one of those, and says not which.
    files = ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=XsUri(str(purl)), hashes=hashes)
    return Entry(
        name=purl.name,
        group=purl.namespace,
        version=purl.version,
        type=ComponentType.PLATFORM if purl.name in _PLATFORMS else ComponentType.LIBRARY,
        bom_ref=str(purl),
        purl=purl,
        hashes=hashes if is_file else [],
        external_references=[files] if hashes and not is_file else [],
        licenses=[_licences.make_from_string(licence.expression)] if licence else [],
        properties=[Property(name="headcount:licence:told-by", value=licence.told_by)] if licence else [],
    )
