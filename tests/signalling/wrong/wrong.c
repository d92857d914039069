// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* kbuild must not build this: see scripts/Makefile.signalling. */

#include "drm_safe_signalling.h"

#include <linux/delay.h>
#include <linux/module.h>

void wrong_step(void);
void wrong_step(void)
{
	msleep(1);
}

MODULE_DESCRIPTION("A step that sleeps");
MODULE_LICENSE("Dual MIT/GPL");
