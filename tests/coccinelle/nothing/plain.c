// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A driver that uses nothing of the library: there is nothing to check. */

#include <linux/slab.h>

int plain(void);
int plain(void)
{
	return 0;
}
