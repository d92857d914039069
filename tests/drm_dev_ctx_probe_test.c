// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Probe functions that fail, or take long, while another task unbinds the parent or the DMA device
 */

#include <linux/completion.h>
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>
#include <linux/workqueue.h>

#include <kunit/platform_device.h>
#include <kunit/static_stub.h>
#include <kunit/test.h>

#include <drm/drm_drv.h>

#include "drm_dev_ctx_internal.h"
#include "drm_dev_ctx_res.h"
#include "drm_safe_test.h"

struct probe_dev {
	struct drm_dev_ctx ctx;
};

struct probe_ring {
	DRM_VMAP(SZ_1K);
};

struct probe_ring_res {
	DRM_DEV_CTX_RES(struct probe_ring);
};

/*
 * The log of events, in order:
 *
 *	m	the probe function has mapped
 *	u	revoked
 *	S	the supplier, which is the parent or the DMA device, was unbound
 *	r	release of the registration data
 *	o	the probe function went on, after another task began to unbind the supplier
 *	-	revoked for a supplier without a driver
 */
struct probe_test {
	char steps[16];
	int len;
	bool dma;		/* the supplier is the DMA device, not the parent */
	int (*end)(struct kunit *test, struct device *dev, struct drm_dev_ctx_unreg *unreg);
	/* In place of all that the probe functions do */
	int (*attempt)(struct probe_test *t, struct device *dev);
	int (*supplier_attempt)(struct probe_test *t, struct device *dev);
	int ret, supplier_ret, tries;
	struct device *dev, *supplier;
	struct work_struct unbind, bind;
	struct completion reached, go_on;
	struct drm_dev_ctx_unreg *unreg;
	struct drm_dev_ctx_revocable rev;
	struct probe_ring_res ring;
	struct drm_dev_ctx_data data;
	struct device_link *link;
};

static struct probe_test *probe_now;

static void probe_log(struct probe_test *t, char step)
{
	if (t->len < sizeof(t->steps) - 1)
		t->steps[t->len++] = step;
}

static bool probe_rev_get(struct drm_dev_ctx_revocable *rev)
{
	return true;
}

static void probe_rev_revoke(struct drm_dev_ctx_revocable *rev)
{
	struct probe_test *t = container_of(rev, struct probe_test, rev);

	probe_log(t, READ_ONCE(t->supplier->driver) ? 'u' : '-');
}

static const struct drm_dev_ctx_revocable_ops probe_rev_ops = {
	.get = probe_rev_get,
	.revoke = probe_rev_revoke,
};

static void probe_release(struct drm_dev_ctx_data *data)
{
	probe_log(container_of(data, struct probe_test, data), 'r');
}

static const struct drm_dev_ctx_ops probe_ops = {
	.release = probe_release,
};

static int probe_supplier_probe(struct platform_device *pdev)
{
	if (probe_now->supplier_attempt)
		return probe_now->supplier_attempt(probe_now, &pdev->dev);
	return dma_coerce_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
}

static void probe_supplier_remove(struct platform_device *pdev)
{
	probe_log(probe_now, 'S');
}

static struct platform_driver probe_supplier_driver = {
	.probe = probe_supplier_probe,
	.remove = probe_supplier_remove,
	.driver.name = "drm_safe_test_supplier",
};

static void probe_unbind(struct work_struct *work)
{
	device_release_driver(container_of(work, struct probe_test, unbind)->supplier);
}

static void probe_bind(struct work_struct *work)
{
	struct probe_test *t = container_of(work, struct probe_test, bind);

	t->ret = device_attach(t->supplier);
}

/* Another task unbinds the supplier, if it can. */
static void probe_let_unbind(void *data)
{
	struct probe_test *t = data;

	schedule_work(&t->unbind);
	for (int i = 0; i < 20 && !strchr(t->steps, 'S'); i++)
		schedule_timeout_idle(HZ / 50 + 1);
}

static void probe_goes_on(struct probe_test *t)
{
	probe_let_unbind(t);
	probe_log(t, 'o');
}

static int probe_probe(struct platform_device *pdev)
{
	struct kunit *test = kunit_get_current_test();
	struct probe_test *t = probe_now;
	struct device *dev = &pdev->dev;
	struct drm_dev_ctx_unreg *unreg;
	struct drm_device *drm;
	int ret;

	if (t->attempt)
		return t->attempt(t, dev);
	t->dev = dev;
	unreg = drm_dev_ctx_alloc_parent(dev, t->dma ? dev : t->supplier, drm_safe_test_driver(),
					 struct probe_dev, ctx);
	KUNIT_ASSERT_FALSE(test, IS_ERR(unreg));
	drm = drm_dev_ctx_unreg_drm(unreg);
	if (t->dma)
		drm_dev_set_dma_dev(drm, t->supplier);
	ret = drm_dev_ctx_dma_alloc(&t->ring, &unreg->bound, SZ_4K);
	KUNIT_EXPECT_EQ(test, ret, 0);
	ret = drm_dev_ctx_revocable_add(&unreg->bound, &t->rev, &probe_rev_ops);
	KUNIT_EXPECT_EQ(test, ret, 0);
	probe_log(t, 'm');
	t->ret = t->end(test, dev, unreg);
	return t->ret;
}

static struct platform_driver probe_driver = {
	.probe = probe_probe,
	.driver.name = "drm_safe_test_probe",
};

static struct platform_device *probe_device(struct kunit *test, const char *name)
{
	struct platform_device *pdev = kunit_platform_device_alloc(test, name,
								   PLATFORM_DEVID_AUTO);

	KUNIT_ASSERT_NOT_NULL(test, pdev);
	KUNIT_ASSERT_EQ(test, kunit_platform_device_add(test, pdev), 0);
	return pdev;
}

static int probe_test_init(struct kunit *test)
{
	struct probe_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	test->priv = t;
	probe_now = t;
	INIT_WORK(&t->unbind, probe_unbind);
	INIT_WORK(&t->bind, probe_bind);
	init_completion(&t->reached);
	init_completion(&t->go_on);
	KUNIT_ASSERT_EQ(test, kunit_platform_driver_register(test, &probe_supplier_driver), 0);
	KUNIT_ASSERT_EQ(test, kunit_platform_driver_register(test, &probe_driver), 0);
	t->supplier = &probe_device(test, probe_supplier_driver.driver.name)->dev;
	KUNIT_ASSERT_NOT_NULL(test, t->supplier->driver);
	return 0;
}

/* Binds the device, and waits until the supplier is unbound. */
static void probe_run(struct kunit *test)
{
	struct probe_test *t = test->priv;

	probe_device(test, probe_driver.driver.name);
	flush_work(&t->unbind);
	KUNIT_EXPECT_NULL(test, t->supplier->driver);
}

static void probe_both(struct kunit *test, const char *steps)
{
	struct probe_test *t = test->priv;

	probe_run(test);
	KUNIT_EXPECT_EQ(test, t->ret, -EIO);
	KUNIT_EXPECT_STREQ(test, t->steps, steps);

	t->len = 0;
	memset(t->steps, 0, sizeof(t->steps));
	t->dma = true;
	memset(&t->rev, 0, sizeof(t->rev));
	memset(&t->ring, 0, sizeof(t->ring));
	memset(&t->data, 0, sizeof(t->data));
	KUNIT_ASSERT_EQ(test, device_attach(t->supplier), 1);
	probe_run(test);
	KUNIT_EXPECT_EQ(test, t->ret, -EIO);
	KUNIT_EXPECT_STREQ(test, t->steps, steps);
}

/* The unbinding begins while the probe function runs. The driver core waits for its devres, too. */
static int probe_drops(struct kunit *test, struct device *dev, struct drm_dev_ctx_unreg *unreg)
{
	probe_goes_on(test->priv);
	drm_dev_ctx_drop(&unreg);
	return -EIO;
}

static void drops(struct kunit *test)
{
	struct probe_test *t = test->priv;

	t->end = probe_drops;
	probe_both(test, "mouS");
}

/*
 * The unbinding begins when the probe function has failed: the driver core may have dropped its
 * device link, so nothing may be mapped any more.
 */
static int probe_drop_removes(struct kunit *test, struct device *dev,
			      struct drm_dev_ctx_unreg *unreg)
{
	KUNIT_EXPECT_EQ(test, devm_add_action(dev, probe_let_unbind, test->priv), 0);
	drm_dev_ctx_drop(&unreg);
	drm_dev_ctx_remove(dev);
	return -EIO;
}

static void drop_removes(struct kunit *test)
{
	struct probe_test *t = test->priv;

	t->end = probe_drop_removes;
	probe_both(test, "muS");
}

static int probe_register_removes(struct kunit *test, struct device *dev,
				  struct drm_dev_ctx_unreg *unreg)
{
	struct probe_test *t = test->priv;

	KUNIT_EXPECT_EQ(test, devm_add_action(dev, probe_let_unbind, t), 0);
	kunit_warning_suppress(test) {
		/* Refused: the token was allocated with another device. */
		KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(t->supplier, &unreg, &probe_ops,
							   &t->data), -EINVAL);
		EXPECT_BROKEN(test, "a device is registered where it was allocated");
	}
	drm_dev_ctx_remove(dev);
	return -EIO;
}

static void register_removes(struct kunit *test)
{
	struct probe_test *t = test->priv;

	t->end = probe_register_removes;
	probe_both(test, "mruS");
}

static int probe_late_removes(struct kunit *test, struct device *dev,
			      struct drm_dev_ctx_unreg *unreg)
{
	struct probe_test *t = test->priv;

	KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(dev, &unreg, &probe_ops, &t->data), 0);
	KUNIT_EXPECT_EQ(test, devm_add_action(dev, probe_let_unbind, t), 0);
	drm_dev_ctx_remove(dev);
	return -EIO;
}

/* The probe function fails after the registration. */
static void late_removes(struct kunit *test)
{
	struct probe_test *t = test->priv;

	t->end = probe_late_removes;
	probe_both(test, "mruS");
}

static int probe_takes_long(struct kunit *test, struct device *dev,
			    struct drm_dev_ctx_unreg *unreg)
{
	struct probe_test *t = test->priv;

	probe_goes_on(t);
	return drm_dev_ctx_register(dev, &unreg, &probe_ops, &t->data);
}

/* A mapping that is made before the registration keeps the DMA device bound from then on. */
static void takes_long(struct kunit *test)
{
	struct probe_test *t = test->priv;

	t->end = probe_takes_long;
	t->dma = true;
	probe_run(test);
	/* Refused: it is being unbound, and waits for the end of the probe function. */
	KUNIT_EXPECT_EQ(test, t->ret, -ENODEV);
	KUNIT_EXPECT_STREQ(test, t->steps, "moruS");
	KUNIT_EXPECT_NULL(test, t->dev->driver);
}

#define PROBE_TRIES 20

/* Not in the task of the test, from the second time on */
static int probe_tries(struct probe_test *t, struct device *dev)
{
	struct drm_dev_ctx_unreg *unreg;

	unreg = drm_dev_ctx_alloc_parent(dev, t->supplier, drm_safe_test_driver(),
					 struct probe_dev, ctx);
	if (IS_ERR(unreg))
		return PTR_ERR(unreg);
	drm_dev_ctx_drop(&unreg);
	return ++t->tries < PROBE_TRIES ? -EPROBE_DEFER : -EIO;
}

/* A device that is bound while a probe function runs would make the driver core try it again. */
static void defers(struct kunit *test)
{
	struct probe_test *t = test->priv;

	t->attempt = probe_tries;
	probe_device(test, probe_driver.driver.name);
	wait_for_device_probe();
	KUNIT_EXPECT_GE(test, t->tries, 1);
	KUNIT_EXPECT_LE(test, t->tries, 3);
}

static int probe_supplier_waits(struct probe_test *t, struct device *dev)
{
	complete(&t->reached);
	wait_for_completion(&t->go_on);
	return t->supplier_ret;
}

static int probe_too_early(struct probe_test *t, struct device *dev)
{
	struct kunit *test = kunit_get_current_test();
	struct drm_dev_ctx_unreg *unreg;

	unreg = drm_dev_ctx_alloc_parent(dev, t->supplier, drm_safe_test_driver(),
					 struct probe_dev, ctx);
	KUNIT_EXPECT_PTR_EQ(test, unreg, ERR_PTR(-EPROBE_DEFER));

	unreg = drm_dev_ctx_alloc_parent(dev, dev, drm_safe_test_driver(), struct probe_dev, ctx);
	KUNIT_ASSERT_FALSE(test, IS_ERR(unreg));
	drm_dev_set_dma_dev(drm_dev_ctx_unreg_drm(unreg), t->supplier);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_dma_alloc(&t->ring, &unreg->bound, SZ_4K),
			-EPROBE_DEFER);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(dev, &unreg, &probe_ops, &t->data),
			-EPROBE_DEFER);
	return -EIO;
}

/* If the probe function of the supplier fails, nothing may be mapped for it. */
static void probing_supplier(struct kunit *test)
{
	struct probe_test *t = test->priv;

	device_release_driver(t->supplier);
	t->supplier_attempt = probe_supplier_waits;
	t->supplier_ret = -EIO;
	t->attempt = probe_too_early;
	schedule_work(&t->bind);
	wait_for_completion(&t->reached);
	probe_device(test, probe_driver.driver.name);
	complete(&t->go_on);
	flush_work(&t->bind);
	KUNIT_EXPECT_NULL(test, t->supplier->driver);
	KUNIT_EXPECT_STREQ(test, t->steps, "Sr");
}

static int probe_binds(struct probe_test *t, struct device *dev)
{
	t->dev = dev;
	return 0;
}

/* The last component of a master that is bound: it maps in this function, and then fails. */
static int probe_supplier_maps(struct probe_test *t, struct device *dev)
{
	struct kunit *test = kunit_get_current_test();

	t->unreg = drm_dev_ctx_alloc_parent(t->dev, t->dev, drm_safe_test_driver(),
					    struct probe_dev, ctx);
	KUNIT_ASSERT_FALSE(test, IS_ERR(t->unreg));
	drm_dev_set_dma_dev(drm_dev_ctx_unreg_drm(t->unreg), dev);
	KUNIT_EXPECT_EQ(test, dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64)), 0);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_dma_alloc(&t->ring, &t->unreg->bound, SZ_4K), 0);
	return -EIO;
}

static void lost_supplier(struct kunit *test)
{
	struct probe_test *t = test->priv;

	t->attempt = probe_binds;
	probe_device(test, probe_driver.driver.name);
	KUNIT_ASSERT_NOT_NULL(test, t->dev);
	device_release_driver(t->supplier);
	t->supplier_attempt = probe_supplier_maps;
	KUNIT_EXPECT_LE(test, device_attach(t->supplier), 0);
	KUNIT_ASSERT_NULL(test, t->supplier->driver);
	KUNIT_ASSERT_NOT_NULL(test, t->unreg);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_register(t->dev, &t->unreg, &probe_ops, &t->data),
			-ENODEV);
	KUNIT_EXPECT_STREQ(test, t->steps, "Sr");
	device_release_driver(t->dev);
}

/* The bound device and its references can go first, any number of times. */
static int probe_registers(struct kunit *test, struct device *dev,
			   struct drm_dev_ctx_unreg *unreg)
{
	struct probe_test *t = test->priv;

	return drm_dev_ctx_register(dev, &unreg, &probe_ops, &t->data);
}

static void bound_device_first(struct kunit *test)
{
	struct probe_test *t = test->priv;

	t->end = probe_registers;
	probe_device(test, probe_driver.driver.name);
	device_release_driver(t->dev);
	KUNIT_EXPECT_STREQ(test, t->steps, "mru");
	t->dma = true;
	memset(&t->rev, 0, sizeof(t->rev));
	memset(&t->ring, 0, sizeof(t->ring));
	KUNIT_EXPECT_EQ(test, device_attach(t->dev), 1);
	KUNIT_EXPECT_STREQ(test, t->steps, "mrum");
	/* The supplier first, in this task */
	device_release_driver(t->supplier);
	KUNIT_EXPECT_STREQ(test, t->steps, "mrumruS");
}

/* The link was made while the supplier was probed and the device was bound: it has no effect. */
static void dead_link(struct kunit *test)
{
	struct probe_test *t = test->priv;
	struct drm_dev_ctx_unreg *unreg;

	t->attempt = probe_binds;
	probe_device(test, probe_driver.driver.name);
	KUNIT_ASSERT_NOT_NULL(test, t->dev);
	device_release_driver(t->supplier);
	t->supplier_attempt = probe_supplier_waits;
	schedule_work(&t->bind);
	wait_for_completion(&t->reached);
	KUNIT_EXPECT_NOT_NULL(test, device_link_add(t->dev, t->supplier,
						    DL_FLAG_AUTOREMOVE_SUPPLIER));
	complete(&t->go_on);
	flush_work(&t->bind);
	KUNIT_ASSERT_NOT_NULL(test, t->supplier->driver);

	unreg = drm_dev_ctx_alloc_parent(t->dev, t->dev, drm_safe_test_driver(),
					 struct probe_dev, ctx);
	KUNIT_ASSERT_FALSE(test, IS_ERR(unreg));
	drm_dev_set_dma_dev(drm_dev_ctx_unreg_drm(unreg), t->supplier);
	KUNIT_EXPECT_EQ(test, drm_dev_ctx_dma_alloc(&t->ring, &unreg->bound, SZ_4K), -ENODEV);
	drm_dev_ctx_drop(&unreg);
	device_release_driver(t->dev);
	device_release_driver(t->supplier);
}

/* Another task unbinds the supplier between the making of the link and the look at it. */
static struct device_link *probe_add_link(struct device *dev, struct device *supplier)
{
	struct probe_test *t = probe_now;
	struct device_link *link;

	link = device_link_add(dev, supplier, DL_FLAG_AUTOREMOVE_CONSUMER);
	KUNIT_EXPECT_PTR_EQ(kunit_get_current_test(), link, t->link);
	schedule_work(&t->unbind);
	for (int i = 0; i < 20 && READ_ONCE(t->supplier->driver); i++)
		schedule_timeout_idle(HZ / 50 + 1);
	device_link_wait_removal();
	return link;
}

/* The supplier was bound after the probe function began: the link has no effect. */
static int probe_has_dead_link(struct probe_test *t, struct device *dev)
{
	struct kunit *test = kunit_get_current_test();
	struct drm_dev_ctx_unreg *unreg;

	t->link = device_link_add(dev, t->supplier, DL_FLAG_AUTOREMOVE_SUPPLIER);
	KUNIT_EXPECT_NOT_NULL(test, t->link);
	KUNIT_EXPECT_EQ(test, device_attach(t->supplier), 1);
	kunit_activate_static_stub(test, drm_dev_ctx_add_link, probe_add_link);
	unreg = drm_dev_ctx_alloc_parent(dev, t->supplier, drm_safe_test_driver(),
					 struct probe_dev, ctx);
	kunit_deactivate_static_stub(test, drm_dev_ctx_add_link);
	/* The unbind has begun, and goes on after this. */
	KUNIT_EXPECT_PTR_EQ(test, unreg, ERR_PTR(-ENODEV));
	return -EIO;
}

/* A link that the supplier does not wait for is freed with the supplier, which KASAN sees. */
static void link_freed(struct kunit *test)
{
	struct probe_test *t = test->priv;

	device_release_driver(t->supplier);
	t->attempt = probe_has_dead_link;
	probe_run(test);
	KUNIT_EXPECT_NOT_NULL(test, t->link);
}

/* The supplier is unbound between the first look at it and the notifier. */
static int probe_watch_bus(const struct bus_type *bus, struct notifier_block *nb)
{
	struct probe_test *t = probe_now;

	device_release_driver(t->supplier);
	device_link_wait_removal();
	return bus_register_notifier(bus, nb);
}

static struct device_link *probe_add_no_link(struct device *dev, struct device *supplier)
{
	KUNIT_FAIL(kunit_get_current_test(), "a link to a supplier without a driver");
	return NULL;
}

static int probe_loses_supplier(struct probe_test *t, struct device *dev)
{
	struct kunit *test = kunit_get_current_test();
	struct drm_dev_ctx_unreg *unreg;

	kunit_activate_static_stub(test, drm_dev_ctx_watch_bus, probe_watch_bus);
	kunit_activate_static_stub(test, drm_dev_ctx_add_link, probe_add_no_link);
	unreg = drm_dev_ctx_alloc_parent(dev, t->supplier, drm_safe_test_driver(),
					 struct probe_dev, ctx);
	kunit_deactivate_static_stub(test, drm_dev_ctx_add_link);
	kunit_deactivate_static_stub(test, drm_dev_ctx_watch_bus);
	t->ret = PTR_ERR_OR_ZERO(unreg);
	return -EIO;
}

/* No link is made, or looked at, once the supplier that was seen is gone. */
static void supplier_gone_early(struct kunit *test)
{
	struct probe_test *t = test->priv;

	t->attempt = probe_loses_supplier;
	probe_run(test);
	KUNIT_EXPECT_EQ(test, t->ret, -EPROBE_DEFER);
}

static struct kunit_case drm_dev_ctx_probe_cases[] = {
	KUNIT_CASE(drops),
	KUNIT_CASE(drop_removes),
	KUNIT_CASE(register_removes),
	KUNIT_CASE(late_removes),
	KUNIT_CASE(takes_long),
	KUNIT_CASE(defers),
	KUNIT_CASE(probing_supplier),
	KUNIT_CASE(lost_supplier),
	KUNIT_CASE(dead_link),
	KUNIT_CASE(link_freed),
	KUNIT_CASE(supplier_gone_early),
	KUNIT_CASE(bound_device_first),
	{}
};

static struct kunit_suite drm_dev_ctx_probe_suite = {
	.name = "drm_dev_ctx_probe",
	.init = probe_test_init,
	.test_cases = drm_dev_ctx_probe_cases,
};

kunit_test_suite(drm_dev_ctx_probe_suite);

MODULE_DESCRIPTION("KUnit tests for the DRM safe helpers: probe functions and suppliers");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
