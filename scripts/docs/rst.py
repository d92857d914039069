# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Common parts of the generated pages."""

SPDX = "SPDX-License-Identifier: GPL-2.0-only OR MIT"


def table(widths, rows, header=True):
    """Return the lines of a list-table. Its first row is the header unless @header is False."""
    out = [".. list-table::"] + ["   :header-rows: 1"] * header
    out += [f"   :widths: {' '.join(map(str, widths))}", ""]
    for row in rows:
        out += [("   * - " if i == 0 else "     - ") + str(cell) for i, cell in enumerate(row)]
    return [line.rstrip() for line in out] + [""]
