// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A scope of the driver's own, for which spatch skips the function. */

#include "drm_dev_ctx.h"

int with_scope(struct card *card);
int with_scope(struct card *card)
{
	while_card_is_on(card) return_if_not {
		if (!card_ok(card))
			return -EINVAL;
	}
	return 0;
}

#if 0
int left_out(struct card *card)
{
	return card_ok(card);
}
#endif
