# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""What the generated pages have in common."""

SPDX = "SPDX-License-Identifier: GPL-2.0-only OR MIT"


def table(widths, rows, header=True):
    """The lines of a list-table, whose first row is the header unless there is none."""
    out = [".. list-table::"] + ["   :header-rows: 1"] * header
    out += [f"   :widths: {' '.join(map(str, widths))}", ""]
    for row in rows:
        out += [("   * - " if i == 0 else "     - ") + str(cell) for i, cell in enumerate(row)]
    return [line.rstrip() for line in out] + [""]
