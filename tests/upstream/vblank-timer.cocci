// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm/vblank: run the vblank timer with a period that a display can have
//
// The timer's period is the duration of a frame, which follows from the mode. A client can set a mode
// whose frame takes less than a nanosecond, or longer than an int can hold in nanoseconds. Then the
// period is zero, and no vblank comes, or it is negative, and the timer expires all the time. Limit the
// period to what displays have.
//
// Files: drivers/gpu/drm/drm_vblank.c

@@
expression vtimer, vblank;
@@
 int drm_crtc_vblank_start_timer(...)
 {
 	<...
-	vtimer->interval = ns_to_ktime(vblank->framedur_ns);
+	vtimer->interval = ns_to_ktime(clamp(vblank->framedur_ns, NSEC_PER_MSEC, NSEC_PER_SEC));
 	...>
 }
