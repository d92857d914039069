/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Include this in a file that contains only code of the fence signalling path. After compiling, a
 * script checks which external functions the object file calls. The functions in
 * scripts/signalling.list are allowed: they neither allocate memory nor wait for code that may
 * wait for a fence. The driver's Makefile names the object, see scripts/Makefile.signalling.
 */
#ifndef _DRM_SAFE_SIGNALLING_H
#define _DRM_SAFE_SIGNALLING_H

#ifndef DRM_SAFE_SIGNALLING_CHECKED
#error "this file is not checked: add its object to drm_safe_signalling-y in the Makefile"
#endif

#include "drm_safe_effects.h"

#endif /* _DRM_SAFE_SIGNALLING_H */
