/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A file that contains only code of the fence signalling path includes this. After the file
 * was compiled, a script checks which functions of other files its object calls. Only the
 * functions in scripts/signalling.list are allowed: these neither allocate memory nor wait for
 * code that may wait for a fence. The driver's Makefile names the object, see
 * scripts/Makefile.signalling.
 */
#ifndef _DRM_SAFE_SIGNALLING_H
#define _DRM_SAFE_SIGNALLING_H

#ifndef DRM_SAFE_SIGNALLING_CHECKED
#error "this file is not checked: have drm_safe_signalling-y in the Makefile name its object"
#endif

#include "drm_safe_effects.h"

#endif /* _DRM_SAFE_SIGNALLING_H */
