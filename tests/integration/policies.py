"""The policies in `permissions.json`, and what they lack or allow in vain by the calls that were made (pure)."""

import json
from collections import Counter
from collections.abc import Set as AbstractSet
from itertools import groupby
from operator import attrgetter
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from headcount.settings import Settings, variable
from tests.integration.calls import RESOURCES, Permission

PATH = "deploy/terraform/modules/headcount/permissions.json"


def _known(resource: str) -> str:
    if resource not in RESOURCES:
        raise ValueError(f"{resource} is none of {', '.join(sorted(RESOURCES))}")
    return resource


def _switch(name: str) -> str:
    fields = Settings.model_fields.items()
    switches = {variable(field) for field, info in fields if info.annotation is bool or info.default is None}
    if name not in switches:
        raise ValueError(f"{name} is no setting that is on or off, or unset: {', '.join(sorted(switches))}")
    return name


Action = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*:[A-Z][A-Za-z]+$")]  # no wildcards
Resource = Annotated[str, AfterValidator(_known)]
Reason = Annotated[str, Field(min_length=10)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Statement(_Strict):
    """Actions that a service may make on one resource."""

    sid: str = Field(pattern=r"^[A-Za-z0-9]+$")
    resource: Resource
    only_with: Annotated[str, AfterValidator(_switch)] | None = None  # the setting without which no such call is made
    actions: tuple[Action, ...] = Field(min_length=1)
    why: Reason


class Rare(_Strict):
    """An action that is allowed although the run can't make it, and why."""

    service: str
    resource: Resource
    action: Action
    why: Reason


class Policies(_Strict):
    """The file."""

    services: dict[str, tuple[Statement, ...]]
    rare: tuple[Rare, ...]


class PolicyFile:
    """The file by its text: each complaint names the line to change, and how."""

    def __init__(self, text: str) -> None:
        """Raises `pydantic.ValidationError` if the text is no such file."""
        self._text = text
        policies = Policies.model_validate_json(text)
        self._statements = [(service, one) for service, ones in policies.services.items() for one in ones]
        self._all = [Permission(name, one.resource, action) for name, one in self._statements for action in one.actions]
        self._all_rare = [Permission(one.service, one.resource, one.action) for one in policies.rare]
        self.allowed, self.rare = frozenset(self._all), frozenset(self._all_rare)

    def missing(self, made: AbstractSet[Permission]) -> list[str]:
        """What was made and is not allowed."""
        lacking = groupby(sorted(made - self.allowed), key=attrgetter("service", "resource"))
        return [self._lacking(*whose, [one.action for one in ones]) for whose, ones in lacking]

    def unused(self, made: AbstractSet[Permission]) -> list[str]:
        """What is allowed and neither was made nor is rare; what is rare and was made."""
        in_vain, after_all = sorted(self.allowed - made - self.rare), sorted(made & self.rare)
        return [
            *(
                f'{self._allowed_at(one)}: remove "{one.action}": {one.service} never called it on {one.resource}; '
                f"or, if no run can make it do so, add to rare {_rare(one)}"
                for one in in_vain
            ),
            *(f"{self._rare_at(one)}: remove from rare {_rare(one)}: the run made it" for one in after_all),
        ]

    def slips(self) -> list[str]:
        """What is wrong whatever was made: the layout that lines rest on, what is said twice, what is only rare."""
        laid_out = json.dumps(json.loads(self._text), indent=2, ensure_ascii=False) + "\n"
        if laid_out != self._text:
            return [f"{PATH}: lay it out anew: python -m json.tool --indent 2 --no-ensure-ascii {PATH} {PATH}"]
        said = Counter(f"sid {statement.sid} of {service}" for service, statement in self._statements)
        said.update(f"{one} in services" for one in self._all)
        said.update(f"{one} in rare" for one in self._all_rare)
        return [
            *(f"{PATH}: remove all but one: {what}" for what, times in said.items() if times > 1),
            *(
                f"{self._rare_at(one)}: remove from rare {_rare(one)}: no statement allows it"
                for one in sorted(self.rare - self.allowed)
            ),
        ]

    def _lacking(self, service: str, resource: str, actions: list[str]) -> str:
        add, why = ", ".join(f'"{action}"' for action in actions), f"{service} called it on {resource}"
        for whose, statement in self._statements:
            if (whose, statement.resource) == (service, resource):
                at = self._at(*_way(service, statement), '"actions": [')
                return f"{at}: add {add} to the actions of {statement.sid}: {why}"
        at = self._at('"services": {', f'"{service}": [')
        return f'{at}: add {{"sid": "…", "resource": "{resource}", "actions": [{add}], "why": "…"}}: {why}'

    def _allowed_at(self, one: Permission) -> str:
        for service, statement in self._statements:
            if (service, statement.resource) == (one.service, one.resource) and one.action in statement.actions:
                return self._at(*_way(service, statement), f'"{one.action}"')
        raise LookupError(one)

    def _rare_at(self, one: Permission) -> str:
        return self._at('"rare": [', ",\n      ".join(_members(one)))

    def _at(self, *marks: str) -> str:
        """The line of the last mark that there is, each looked for from the one before on."""
        at = 0
        for mark in marks:
            at = max(at, self._text.find(mark, at))
        line = self._text.count("\n", 0, at) + 1
        return f"{PATH}:{line}"


def _way(service: str, statement: Statement) -> tuple[str, ...]:
    return '"services": {', f'"{service}": [', f'"sid": "{statement.sid}"'


def _members(one: Permission) -> list[str]:
    return [f'"service": "{one.service}"', f'"resource": "{one.resource}"', f'"action": "{one.action}"']


def _rare(one: Permission) -> str:
    return "{" + ", ".join([*_members(one), '"why": "…"']) + "}"
