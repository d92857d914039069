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
	struct drm_dev_ctx_work own;
	struct drm_dev_ctx_timer own_timer;
	struct drm_dev_ctx_irq irq;
};

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
