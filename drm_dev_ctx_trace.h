/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM drm_dev_ctx

#if !defined(_DRM_DEV_CTX_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _DRM_DEV_CTX_TRACE_H

#include <linux/device.h>
#include <linux/sched.h>
#include <linux/tracepoint.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>

TRACE_EVENT(drm_dev_ctx_register,
	TP_PROTO(struct drm_device *drm, int ret),
	TP_ARGS(drm, ret),
	TP_STRUCT__entry(
		__string(dev, dev_name(drm->dev))
		__string(driver, drm->driver->name)
		__field(int, ret)
	),
	TP_fast_assign(
		__assign_str(dev);
		__assign_str(driver);
		__entry->ret = ret;
	),
	TP_printk("dev=%s driver=%s ret=%d",
		  __get_str(dev), __get_str(driver), __entry->ret)
);

/* A registration ends; the device is unplugged next. */
TRACE_EVENT(drm_dev_ctx_unplug,
	TP_PROTO(struct drm_device *drm),
	TP_ARGS(drm),
	TP_STRUCT__entry(
		__string(dev, dev_name(drm->dev))
		__string(driver, drm->driver->name)
	),
	TP_fast_assign(
		__assign_str(dev);
		__assign_str(driver);
	),
	TP_printk("dev=%s driver=%s", __get_str(dev), __get_str(driver))
);

/* A section that needs the registration was not entered. */
TRACE_EVENT(drm_dev_ctx_refused,
	TP_PROTO(struct drm_device *drm, bool unplugged, void *where),
	TP_ARGS(drm, unplugged, where),
	TP_STRUCT__entry(
		__string(dev, dev_name(drm->dev))
		__string(driver, drm->driver->name)
		__field(bool, unplugged)
		__field(void *, where)
	),
	TP_fast_assign(
		__assign_str(dev);
		__assign_str(driver);
		__entry->unplugged = unplugged;
		__entry->where = where;
	),
	TP_printk("dev=%s driver=%s reason=%s where=%pS",
		  __get_str(dev), __get_str(driver),
		  __entry->unplugged ? "unplugged" : "unregistered", __entry->where)
);

/*
 * The end of a registration takes long: one event for each section or block that it may be waiting
 * for. Also for an unbind that takes long: @task is then the unbinding task, and @where is NULL.
 */
TRACE_EVENT(drm_dev_ctx_stuck,
	TP_PROTO(struct drm_device *drm, struct task_struct *task, void *where),
	TP_ARGS(drm, task, where),
	TP_STRUCT__entry(
		__string(dev, dev_name(drm->dev))
		__string(driver, drm->driver->name)
		__field(pid_t, pid)
		__field(void *, where)
	),
	TP_fast_assign(
		__assign_str(dev);
		__assign_str(driver);
		__entry->pid = task_pid_nr(task);
		__entry->where = where;
	),
	TP_printk("dev=%s driver=%s pid=%d where=%pS", __get_str(dev),
		  __get_str(driver), __entry->pid, __entry->where)
);

/*
 * The end of a registration takes long: one event for each code address that was refused a section
 * since the end began. Also for a probe function that takes long or gives up the device: one event
 * for each code address that was refused a section before registration.
 */
TRACE_EVENT(drm_dev_ctx_starved,
	TP_PROTO(struct drm_device *drm, void *where),
	TP_ARGS(drm, where),
	TP_STRUCT__entry(
		__string(dev, dev_name(drm->dev))
		__string(driver, drm->driver->name)
		__field(void *, where)
	),
	TP_fast_assign(
		__assign_str(dev);
		__assign_str(driver);
		__entry->where = where;
	),
	TP_printk("dev=%s driver=%s where=%pS", __get_str(dev),
		  __get_str(driver), __entry->where)
);

#endif /* _DRM_DEV_CTX_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE drm_dev_ctx_trace
#include <trace/define_trace.h>
