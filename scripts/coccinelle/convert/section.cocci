// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A section that needs a registration ends with its scope.
// -D proof=NAME_reg: the proof. The environment variable HANDLERS has the ioctl handlers that will
// get their context. Only functions that nothing calls before the registration are converted:
// ioctls and faults. Functions that commit a mode get the proof of a live device, because they also
// run after the unplug, when the display is turned off. drm_dev_enter() also succeeds before the
// registration, so a person has to look at other functions. convert.py replaces DRM_SAFE_RETURN(E)
// by "return E", and DRM_SAFE_CTX(the DRM device) by a struct drm_dev_ctx.
virtual patch

@initialize:python@
@@
import os
handlers = set(os.environ["HANDLERS"].split())
entries = set()
committing = set()

@fault@
identifier f, vmf;
@@
 f(struct vm_fault *vmf) { ... }

@script:python@
f << fault.f;
@@
entries.add(f)

@commits@
identifier f, x, state, commit = {drm_atomic_state, drm_atomic_commit};
type T;
@@
 f(T *x, struct commit *state) { ... }

@script:python@
f << commits.f;
@@
committing.add(f)

// Do not convert a section if a jump leads past its start.
@jumps exists@
identifier f, l, idx;
expression drm;
@@
 f(...)
 {
 ... when any
 goto l;
 ... when any
 drm_dev_enter(drm, &idx)
 ... when any
 }

@script:python@
f << jumps.f;
@@
entries.discard(f)
committing.discard(f)
handlers.discard(f)

@ioctl@
identifier f : script:python() { (f in handlers) };
identifier idx, virtual.proof, dev, data, file;
expression drm, E, E1;
statement S;
@@
 f(struct drm_device *dev, void *data, struct drm_file *file)
 {
 ... when any
-if (!drm_dev_enter(drm, &idx))
-	return E;
+drm_dev_ctx_or(proof, reg, ioctl, DRM_SAFE_RETURN(E));
 <...
(
 if (E1)
-{ drm_dev_exit(idx);
	S
-}
|
-drm_dev_exit(idx);
)
 ...>
 }

@value@
identifier f : script:python() { (f in entries) };
identifier idx, virtual.proof;
expression drm, E, E1;
statement S;
@@
 f(...)
 {
 ... when any
-if (!drm_dev_enter(drm, &idx))
-	return E;
+drm_dev_ctx_or(proof, reg, DRM_SAFE_CTX(drm), DRM_SAFE_RETURN(E));
 <...
(
 if (E1)
-{ drm_dev_exit(idx);
	S
-}
|
-drm_dev_exit(idx);
)
 ...>
 }

@nothing@
identifier f : script:python() { (f in entries) };
identifier idx, virtual.proof;
expression drm, E1;
statement S;
@@
 f(...)
 {
 ... when any
-if (!drm_dev_enter(drm, &idx))
-	return;
+drm_dev_ctx_or(proof, reg, DRM_SAFE_CTX(drm), DRM_SAFE_RETURN());
 <...
(
 if (E1)
-{ drm_dev_exit(idx);
	S
-}
|
-drm_dev_exit(idx);
)
 ...>
 }

@value_live@
identifier f : script:python() { (f in committing) };
identifier idx;
expression drm, E, E1;
statement S;
@@
 f(...)
 {
 ... when any
-if (!drm_dev_enter(drm, &idx))
-	return E;
+drm_dev_ctx_live_or(live, DRM_SAFE_CTX(drm), DRM_SAFE_RETURN(E));
 <...
(
 if (E1)
-{ drm_dev_exit(idx);
	S
-}
|
-drm_dev_exit(idx);
)
 ...>
 }

@nothing_live@
identifier f : script:python() { (f in committing) };
identifier idx;
expression drm, E1;
statement S;
@@
 f(...)
 {
 ... when any
-if (!drm_dev_enter(drm, &idx))
-	return;
+drm_dev_ctx_live_or(live, DRM_SAFE_CTX(drm), DRM_SAFE_RETURN());
 <...
(
 if (E1)
-{ drm_dev_exit(idx);
	S
-}
|
-drm_dev_exit(idx);
)
 ...>
 }

@unused depends on ioctl || value || nothing || value_live || nothing_live@
identifier f : script:python() { (f in entries or f in committing or f in handlers) };
identifier idx;
@@
 f(...)
 {
 ...
-int idx;
 ... when != idx
 }
