"""What Headcount ships of others: bills of materials, licences, known vulnerabilities. No part of the wheel.

`inventory` says what each image is made of, by the locks; `licences` under which terms, `image` what only a built image
can tell. `bill` writes it down as CycloneDX, `terms` into docs/licences.md, and `advisories` asks what is known to be
vulnerable.
"""
