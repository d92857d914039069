// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A fault of the core's vblank timer. Documentation/upstream.rst describes it.
 */

#include <linux/hrtimer.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/time64.h>

#include <drm/drm_crtc.h>
#include <drm/drm_drv.h>
#include <drm/drm_kunit_helpers.h>
#include <drm/drm_modes.h>
#include <drm/drm_vblank.h>

#include "drm_upstream_test.h"

/* A frame of less than a nanosecond */
static const struct drm_display_mode upstream_fast = {
	.clock = INT_MAX,
	.hdisplay = 16, .hsync_start = 20, .hsync_end = 24, .htotal = 32,
	.vdisplay = 16, .vsync_start = 20, .vsync_end = 24, .vtotal = 32,
};

/* A frame of three seconds, which an int cannot hold in nanoseconds */
static const struct drm_display_mode upstream_slow = {
	.clock = 1,
	.hdisplay = 48, .hsync_start = 50, .hsync_end = 54, .htotal = 60,
	.vdisplay = 40, .vsync_start = 42, .vsync_end = 44, .vtotal = 50,
};

static struct drm_crtc *upstream_crtc(struct kunit *test)
{
	struct device *parent = drm_kunit_helper_alloc_device(test);
	struct drm_device *drm;
	struct drm_plane *plane;
	struct drm_crtc *crtc;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, parent);
	drm = __drm_kunit_helper_alloc_drm_device(test, parent, sizeof(*drm), 0,
						  DRIVER_MODESET | DRIVER_ATOMIC);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, drm);
	plane = drm_kunit_helper_create_primary_plane(test, drm, NULL, NULL, NULL, 0, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, plane);
	crtc = drm_kunit_helper_create_crtc(test, drm, plane, NULL, NULL, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, crtc);
	KUNIT_ASSERT_EQ(test, drm_vblank_init(drm, 1), 0);
	return crtc;
}

/* Return the period of the timer in nanoseconds, or an error. The core accepts the mode. */
static s64 upstream_period(struct kunit *test, struct drm_crtc *crtc,
			   const struct drm_display_mode *mode)
{
	struct drm_vblank_crtc_timer *vtimer = &drm_crtc_vblank_crtc(crtc)->vblank_timer;
	s64 period;
	int ret;

	KUNIT_ASSERT_EQ(test, drm_mode_validate_driver(crtc->dev, mode), MODE_OK);
	drm_mode_copy(&crtc->mode, mode);
	drm_mode_set_crtcinfo(&crtc->mode, 0);
	ret = drm_crtc_vblank_start_timer(crtc);
	if (ret)
		return ret;
	period = ktime_to_ns(vtimer->interval);
	drm_crtc_vblank_cancel_timer(crtc);
	hrtimer_cancel(&vtimer->timer);
	return period;
}

/* Whether the mode was refused, or the timer has a period that lets the processor do other work. */
static bool upstream_is_sane(s64 period)
{
	return period == -EINVAL || period >= NSEC_PER_USEC;
}

static void vblank_timer(struct kunit *test)
{
	struct drm_crtc *crtc = upstream_crtc(test);
	const s64 fast = upstream_period(test, crtc, &upstream_fast);
	const s64 slow = upstream_period(test, crtc, &upstream_slow);

	kunit_info(test, "periods: %lld ns and %lld ns\n", fast, slow);
	upstream_tell(test, "vblank-timer", !upstream_is_sane(fast) || !upstream_is_sane(slow));
}

static struct kunit_case upstream_vblank_cases[] = {
	KUNIT_CASE(vblank_timer),
	{}
};

static struct kunit_suite upstream_vblank_suite = {
	.name = "drm_upstream_vblank",
	.test_cases = upstream_vblank_cases,
};

kunit_test_suite(upstream_vblank_suite);

MODULE_DESCRIPTION("Reproducer of a fault in the core: vblank timer");
MODULE_LICENSE("Dual MIT/GPL");
