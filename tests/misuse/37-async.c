// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 37
// title: kernel work item, timer or interrupt used in place of the library's, or the reverse
// rust: partly
// wrong: KERNELS_HANDLER B: _Generic|not compatible
// wrong: HANDLER_OF_A_TIMER B: _Generic|not compatible
// wrong: DATA_IN_PLACE_OF_PROOF B: _Generic|not compatible
// wrong: QUEUED_AS_THE_KERNELS B: incompatible pointer
// wrong: MORE_THAN_LIVE B: incompatible pointer
// wrong: WITHOUT_DATA B: incompatible pointer
// wrong: INTERRUPT_IN_A_SECTION B: incompatible pointer|incompatible function pointer
// wrong: NOT_REQUESTED W: ignoring return value
// wrong: PROOF_KEPT C: 'live' is borrowed for a scope and must not be kept
// wrong: BY_CONTAINER_OF C: take the registration data from the argument of foo_poll\(\)
// wrong: RAW_WORK C: foo_raw_poll\(\) reaches the registration data, struct foo_blit, without a proof
// wrong: RAW_DELAYED C: foo_raw_delayed\(\) reaches the registration data, struct foo_blit, without a proof
// wrong: BESIDE_REGISTERS C: foo_fan_tick\(\) reaches the hardware in struct foo_fan without a proof
// run: drm_dev_ctx_async.rearming: The library ends timers and work items, even those that rearm themselves.
// run: drm_dev_ctx_async.dropped: Code that the library held back never runs.
// run: drm_dev_ctx_async.irq: Quiesce can wait for the interrupt, and release runs without it.

#include <linux/io.h>
#include <linux/virtio.h>

#include "drm_dev_ctx_async.h"
#include "foo.h"

struct foo_blit {
	struct drm_dev_ctx_data base;
	struct drm_dev_ctx_work poll;
	struct drm_dev_ctx_work done;
	struct drm_dev_ctx_timer timer;
	struct drm_dev_ctx_irq irq;
	struct work_struct raw;
	struct delayed_work delayed;
	const struct drm_dev_ctx_live *live;
	u32 seen;
};

/* This is not registration data, but it points to registers. */
struct foo_fan {
	struct timer_list timer;
	void __iomem *regs;
};

int foo_blit_kick(const struct foo_reg *reg, struct foo_blit *blit);
void foo_blit_done(const struct drm_dev_ctx_live *live, struct foo_blit *blit);

static struct foo_blit *foo_blit(struct drm_dev_ctx_data *data)
{
	return container_of(data, struct foo_blit, base);
}

/* An initiator, a completer, and a timer */
static void foo_poll(const struct drm_dev_ctx_reg *reg, struct drm_dev_ctx_data *data,
		     struct drm_dev_ctx_work *work)
{
#if defined(BY_CONTAINER_OF)
	struct foo_blit *blit = container_of(work, struct foo_blit, poll);
#else
	struct foo_blit *blit = foo_blit(data);
#endif

	if (!foo_blit_kick(container_of(reg, struct foo_reg, base), blit))
		drm_dev_ctx_work_queue(work, system_percpu_wq, HZ);
}

static void foo_done(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
		     struct drm_dev_ctx_work *work)
{
#if defined(MORE_THAN_LIVE)
	foo_blit_kick(live, foo_blit(data));
#elif defined(PROOF_KEPT)
	foo_blit(data)->live = live;
#endif
	foo_blit_done(live, foo_blit(data));
}

static void foo_tick(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
		     struct drm_dev_ctx_timer *timer)
{
	foo_blit(data)->seen++;
	drm_dev_ctx_timer_mod(timer, jiffies + HZ);
}

/* Handlers of the kernel's own work items and timers */
#if defined(RAW_WORK)
static void foo_raw_poll(struct work_struct *work)
{
	container_of(work, struct foo_blit, raw)->seen++;
}
#else
static void __maybe_unused foo_raw_poll(struct work_struct *work)
{
}
#endif

#if defined(RAW_DELAYED)
void foo_raw_delayed(struct work_struct *work);

void foo_raw_delayed(struct work_struct *work)
{
	struct delayed_work *delayed = to_delayed_work(work);
	struct foo_blit *blit = container_of(delayed, struct foo_blit, delayed);

	blit->seen++;
}
#endif

#if defined(BESIDE_REGISTERS)
void foo_fan_tick(struct timer_list *timer);

void foo_fan_tick(struct timer_list *timer)
{
	struct foo_fan *fan = timer_container_of(fan, timer, timer);

	writel(0, fan->regs);
}
#endif

#if defined(DATA_IN_PLACE_OF_PROOF)
static void foo_of_data(struct drm_dev_ctx_data *data, struct drm_dev_ctx_work *work)
{
}
#endif

#if defined(INTERRUPT_IN_A_SECTION)
static irqreturn_t foo_irq(const struct drm_dev_ctx_reg *reg, struct drm_dev_ctx_data *data,
			   struct drm_dev_ctx_irq *irq)
#else
static irqreturn_t foo_irq(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
			   struct drm_dev_ctx_irq *irq)
#endif
{
	drm_dev_ctx_work_queue(&foo_blit(data)->done, system_percpu_wq, 0);
	return IRQ_HANDLED;
}

static const struct drm_dev_ctx_irq_ops foo_irq_ops = {
	.handler = foo_irq,
};

int foo_blit_probe(struct device *dev, struct drm_dev_ctx_unreg *unreg,
		     struct foo_blit *blit, unsigned int nr)
{
	const struct drm_dev_ctx_live *live;
	int ret;

	live = drm_dev_ctx_attach(unreg, &foo_reg_ops, &blit->base);
	if (IS_ERR(live))
		return PTR_ERR(live);
#if defined(RAW_WORK)
	INIT_WORK(&blit->raw, foo_raw_poll);
#endif
#if defined(KERNELS_HANDLER)
	drm_dev_ctx_work_init(&blit->poll, live, foo_raw_poll);
#elif defined(HANDLER_OF_A_TIMER)
	drm_dev_ctx_work_init(&blit->poll, live, foo_tick);
#elif defined(DATA_IN_PLACE_OF_PROOF)
	drm_dev_ctx_work_init(&blit->poll, live, foo_of_data);
#elif defined(WITHOUT_DATA)
	drm_dev_ctx_work_init(&blit->poll, &unreg->bound, foo_poll);
#else
	drm_dev_ctx_work_init(&blit->poll, live, foo_poll);
#endif
	drm_dev_ctx_work_init(&blit->done, live, foo_done);
	drm_dev_ctx_timer_init(&blit->timer, live, foo_tick);
	drm_dev_ctx_timer_mod(&blit->timer, jiffies + HZ);
#if defined(QUEUED_AS_THE_KERNELS)
	schedule_work(&blit->poll);
#endif
	drm_dev_ctx_work_queue(&blit->poll, system_percpu_wq, 0);
#if defined(NOT_REQUESTED)
	drm_dev_ctx_irq_request(&blit->irq, live, nr, &foo_irq_ops, 0, "foo");
	ret = 0;
#else
	ret = drm_dev_ctx_irq_request(&blit->irq, live, nr, &foo_irq_ops, 0, "foo");
#endif
	if (ret)
		return ret;
	return drm_dev_ctx_register(dev, &unreg, &foo_reg_ops, &blit->base);
}

static void foo_virtio_remove(struct virtio_device *vdev)
{
	struct foo_device *foo = vdev->priv;

	drm_dev_ctx_unregister(&foo->ctx);
}

static void foo_virtio_shutdown(struct virtio_device *vdev)
{
	drm_dev_ctx_shutdown(&vdev->dev);
}

struct virtio_driver foo_virtio_driver = {
	.shutdown = foo_virtio_shutdown,
	.remove = foo_virtio_remove,
};
