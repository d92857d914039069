// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Handlers that find the registration data, and drivers of buses that end it, or do not. */

#include <drm/drm_dev_ctx_async.h>

#include "../include/surface.h"

struct motor {
	struct drm_dev_ctx_data base;
	struct work_struct work;
	struct delayed_work delayed;
	struct timer_list timer;
	struct hrtimer hrtimer;
	struct tasklet_struct tasklet;
	struct kthread_work kwork;
	struct kthread_delayed_work kdelayed;
	struct irq_work irq_work;
	struct notifier_block notifier;
	struct dma_fence_cb fence_cb;
	struct rcu_head rcu;
	struct work_struct works[2], more;
	struct {
		struct work_struct work;
	} inner;
	struct motor_part {
		struct hrtimer timer;
	} part;
	struct piston piston;
	struct drm_dev_ctx_work own;
	struct drm_dev_ctx_timer own_timer;
	struct drm_dev_ctx_hrtimer own_hrtimer;
	struct drm_dev_ctx_kthread own_kthread;
	struct drm_dev_ctx_irq irq;
};

/* An item of the driver's own, with one of the kernel's in it */
struct piston {
	struct work_struct work;
	u32 strokes;
};

/* A device with work items, timers and interrupts of the registration data */
struct truck {
	struct drm_dev_ctx ctx;
	struct timer_list timer;
	struct work_struct work;
	void __iomem *regs;
};

/* The registers are in a structure of a structure. */
struct wheels {
	struct regmap *map;
};

struct trailer {
	struct wheels wheels;
	struct delayed_work brake;
	struct drm_dev_ctx_work own;
};

/* Registration data that does not begin with the library's part */
struct crane {
	struct {
		struct work_struct work;
	} hook;
	struct drm_dev_ctx_data base;
};

/* A correct device: its work items and timers may run at any time */
struct van {
	struct drm_dev_ctx ctx;
	struct work_struct work;
	struct completion done;
};

#define work_to_motor(w)	container_of(w, struct motor, work)
#define item_to_motor(i, m)	container_of(i, struct motor, m)
#define delayed_to_motor(w)	item_to_motor(to_delayed_work(w), delayed)

/* Not registration data */
struct gear {
	struct work_struct work;
	struct drm_dev_ctx_work own;
	struct motor *motor;
};

static void motor_work(struct work_struct *work)
{
	struct motor *motor = container_of(work, struct motor, work);		/* reached */

	motor_turn(motor);
}

static void motor_delayed(struct work_struct *work)
{
	motor_turn(container_of(work, struct motor, delayed.work));		/* reached */
}

static void motor_timer(struct timer_list *timer)
{
	struct motor *motor = timer_container_of(motor, timer, timer);		/* reached */

	motor_turn(motor);
}

static enum hrtimer_restart motor_hrtimer(struct hrtimer *timer)
{
	struct motor *motor = container_of(timer, struct motor, hrtimer);	/* reached */

	motor_turn(motor);
	return HRTIMER_NORESTART;
}

static irqreturn_t motor_irq(int irq, void *data)
{
	struct motor *motor = data;						/* reached */

	motor_turn(motor);
	return IRQ_HANDLED;
}

static void motor_to_delayed(struct work_struct *work)
{
	motor_turn(container_of(to_delayed_work(work), struct motor, delayed));	/* reached */
}

static void motor_delayed_variable(struct work_struct *work)
{
	struct delayed_work *delayed = to_delayed_work(work);
	struct motor *motor = container_of(delayed, struct motor, delayed);	/* reached */

	motor_turn(motor);
}

static void motor_from_work(struct work_struct *work)
{
	struct motor *motor = from_work(motor, work, work);			/* reached */

	motor_turn(motor);
}

static void motor_typeof(struct work_struct *work)
{
	struct motor *motor = container_of(work, typeof(*motor), work);		/* reached */

	motor_turn(motor);
}

static void motor_timer_assigned(struct timer_list *timer)
{
	struct motor *motor;

	motor = timer_container_of(motor, timer, timer);			/* reached */
	motor_turn(motor);
}

static void motor_from_timer(struct timer_list *timer)
{
	struct gear *gear = NULL;
	struct motor *motor = from_timer(motor, timer, timer);			/* reached */

	motor_turn(motor);
	gear_idle(gear);
}

static void motor_tasklet(struct tasklet_struct *tasklet)
{
	struct motor *motor = from_tasklet(motor, tasklet, tasklet);		/* reached */

	motor_turn(motor);
}

static void motor_kwork(struct kthread_work *work)
{
	motor_turn(container_of(work, struct motor, kwork));			/* reached */
}

static void motor_kdelayed(struct kthread_work *work)
{
	motor_turn(container_of(work, struct motor, kdelayed.work));		/* reached */
}

static void motor_irq_work(struct irq_work *work)
{
	motor_turn(container_of(work, struct motor, irq_work));			/* reached */
}

static int motor_notifier(struct notifier_block *nb, unsigned long action, void *data)
{
	motor_turn(container_of(nb, struct motor, notifier));			/* reached */
	return NOTIFY_DONE;
}

static void motor_fence_cb(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	motor_turn(container_of(cb, struct motor, fence_cb));			/* reached */
}

static void motor_rcu(struct rcu_head *rcu)
{
	motor_turn(container_of(rcu, struct motor, rcu));			/* reached */
}

/* Called for the registration data after release */
static void right_rcu(struct rcu_head *rcu)
{
	kfree(container_of(rcu, struct motor, rcu));
}

static void motor_array(struct work_struct *work)
{
	motor_turn(container_of(work, struct motor, works[1]));			/* reached */
}

static void motor_more(struct work_struct *work)
{
	motor_turn(container_of(work, struct motor, more));			/* reached */
}

static void motor_inner(struct work_struct *work)
{
	motor_turn(container_of(work, struct motor, inner.work));		/* reached */
}

static enum hrtimer_restart motor_part(struct hrtimer *timer)
{
	motor_turn(container_of(timer, struct motor, part.timer));		/* reached */
	return HRTIMER_NORESTART;
}

static void motor_piston(struct work_struct *work)
{
	struct piston *piston = container_of(work, struct piston, work);

	motor_turn(container_of(piston, struct motor, piston));			/* reached */
}

static void right_piston(const struct card_reg *reg, struct piston *piston)
{
	motor_turn(container_of(piston, struct motor, piston));
}

static void motor_by_hand(struct work_struct *work)
{
	struct motor *motor = (void *)work - offsetof(struct motor, work);	/* reached */

	motor_turn(motor);
}

static void motor_by_macro(struct work_struct *work)
{
	motor_turn(work_to_motor(work));					/* reached */
}

static void motor_by_member(struct work_struct *work)
{
	motor_turn(item_to_motor(work, work));					/* reached */
}

static void motor_by_macros(struct work_struct *work)
{
	motor_turn(delayed_to_motor(work));					/* reached */
}

static struct motor *timer_to_motor(struct timer_list *timer)
{
	return container_of(timer, struct motor, timer);			/* reached */
}

static void motor_by_helper(struct timer_list *timer)
{
	motor_turn(timer_to_motor(timer));
}

static irqreturn_t motor_irq_assigned(int irq, void *data)
{
	struct motor *motor;

	motor = data;								/* reached */
	motor_turn(motor);
	return IRQ_HANDLED;
}

static irqreturn_t motor_irq_cast(int irq, void *data)
{
	motor_turn((struct motor *)data);					/* reached */
	return IRQ_HANDLED;
}

static bool motor_irq_handle(struct motor *motor)
{
	return motor_idle(motor);
}

static irqreturn_t motor_irq_passed(int irq, void *data)
{
	return motor_irq_handle(data) ? IRQ_HANDLED : IRQ_NONE;			/* reached */
}

static void motor_irq_untyped(void *data)
{
	struct motor *motor = data;						/* reached */

	motor_turn(motor);
}

static irqreturn_t motor_irq_further(int irq, void *data)
{
	motor_irq_untyped(data);
	return IRQ_HANDLED;
}

/* No handler: whatever calls this has a proof */
static void right_untyped(void *data)
{
	struct motor *motor = data;

	motor_turn(motor);
}

static void truck_timer(struct timer_list *timer)
{
	struct truck *truck = timer_container_of(truck, timer, timer);		/* reached */

	writel(0, truck->regs);
}

static void crane_work(struct work_struct *work)
{
	crane_turn(container_of(work, struct crane, hook.work));		/* reached */
}

static irqreturn_t truck_irq(int irq, void *data)
{
	struct truck *truck = data;						/* reached */

	writel(0, truck->regs);
	return IRQ_HANDLED;
}

static void trailer_brake(struct work_struct *work)
{
	struct trailer *trailer = container_of(to_delayed_work(work),		/* reached */
					       struct trailer, brake);

	regmap_write(trailer->wheels.map, 0, 0);
}

/* The handler has a proof, and this is its own part. */
static void right_trailer_own(const struct drm_dev_ctx_reg *reg, struct drm_dev_ctx_data *data,
			      struct drm_dev_ctx_work *work)
{
	regmap_write(container_of(work, struct trailer, own)->wheels.map, 0, 0);
}

static void right_van(struct work_struct *work)
{
	complete(&container_of(work, struct van, work)->done);
}

/* Not from an item */
static struct motor *right_motor(struct drm_dev_ctx_data *data)
{
	return container_of(data, struct motor, base);
}

static void motor_own(const struct drm_dev_ctx_reg *reg, struct drm_dev_ctx_data *data,
		      struct drm_dev_ctx_work *work)
{
	motor_turn(container_of(work, struct motor, own));			/* reached */
}

static void motor_own_timer(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
			    struct drm_dev_ctx_timer *timer)
{
	struct motor *motor = container_of(timer, struct motor, own_timer);	/* reached */

	motor_turn(motor);
}

static enum hrtimer_restart motor_own_hrtimer(const struct drm_dev_ctx_live *live,
					      struct drm_dev_ctx_data *data,
					      struct drm_dev_ctx_hrtimer *timer)
{
	motor_turn(container_of(timer, struct motor, own_hrtimer));		/* reached */
	return HRTIMER_NORESTART;
}

static void motor_own_kthread(const struct drm_dev_ctx_live *live, struct drm_dev_ctx_data *data,
			      struct drm_dev_ctx_kthread *kthread)
{
	motor_turn(container_of(kthread, struct motor, own_kthread));		/* reached */
}

static irqreturn_t motor_own_irq(const struct drm_dev_ctx_live *live,
				 struct drm_dev_ctx_data *data, struct drm_dev_ctx_irq *irq)
{
	motor_turn(container_of(irq, struct motor, irq));			/* reached */
	return IRQ_HANDLED;
}

static void right_own(const struct drm_dev_ctx_reg *reg, struct drm_dev_ctx_data *data,
		      struct drm_dev_ctx_work *work)
{
	struct gear *gear = container_of(work, struct gear, own);

	gear_turn(gear, container_of(data, struct motor, base));
}

static void right_gear_work(struct work_struct *work)
{
	struct gear *gear = container_of(work, struct gear, work);

	gear_idle(gear);
}

static int motor_probe(struct device *dev, struct drm_dev_ctx_unreg *unreg, struct motor *motor)
{
	return drm_dev_ctx_register(dev, &unreg, &motor_ops, &motor->base);
}

static void motor_virtio_remove(struct virtio_device *vdev)
{
	virtio_reset_device(vdev);
}

static void motor_halt(struct motor *motor)
{
	drm_dev_ctx_unregister(&motor->card->ctx);
}

static void right_virtio_remove(struct virtio_device *vdev)
{
	motor_halt(vdev->priv);
}

static void right_virtio_shutdown(struct virtio_device *vdev)
{
	drm_dev_ctx_shutdown(&vdev->dev);
}

static struct virtio_driver motor_virtio_driver = {				/* ends */
	.driver.name = "motor",
	.shutdown = right_virtio_shutdown,
};

static struct virtio_driver motor_virtio_driver_keeps = {			/* ends */
	.driver.name = "motor",
	.remove = motor_virtio_remove,
	.shutdown = right_virtio_shutdown,
};

static struct virtio_driver right_virtio_driver = {
	.driver.name = "motor",
	.remove = right_virtio_remove,
	.shutdown = right_virtio_shutdown,
};

static void right_pci_remove(struct pci_dev *pdev)
{
	motor_halt(pci_get_drvdata(pdev));
}

static struct pci_driver motor_pci_driver = {					/* ends */
	.name = "motor",
	.shutdown = right_pci_shutdown,
};

static struct pci_driver motor_pci_driver_on = {				/* ends */
	.name = "motor",
	.remove = right_pci_remove,
};

static void right_pci_shutdown(struct pci_dev *pdev)
{
	drm_dev_ctx_shutdown(&pdev->dev);
}

static struct pci_driver right_pci_driver = {
	.name = "motor",
	.remove = right_pci_remove,
	.shutdown = right_pci_shutdown,
};

static struct platform_driver motor_platform_driver = {				/* ends */
	.driver.name = "motor",
};
