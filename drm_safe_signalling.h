/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * For a file that holds only code of the fence signalling path. Its object is
 * checked after it was compiled: it takes no function from elsewhere but those
 * that scripts/signalling.list has, of which each was found neither to allocate
 * memory nor to wait for what waits for fences. The driver's Makefile names the
 * object, see scripts/Makefile.signalling.
 */
#ifndef _DRM_SAFE_SIGNALLING_H
#define _DRM_SAFE_SIGNALLING_H

#ifndef DRM_SAFE_SIGNALLING_CHECKED
#error "this file is not checked: have drm_safe_signalling-y in the Makefile name its object"
#endif

#include "drm_safe_effects.h"

#endif /* _DRM_SAFE_SIGNALLING_H */
