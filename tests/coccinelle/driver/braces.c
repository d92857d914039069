// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Braces that only the preprocessor matches: the rule says where it stops to look. */

static void surface_first(void)
{
}

static void surface_ready(bool idle)
{							/* jumps */
#ifdef CONFIG_PM
	if (idle) {
#else
	if (!idle) {
#endif
		surface_start();
	}
}
