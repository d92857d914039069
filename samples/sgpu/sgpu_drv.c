// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * sgpu: a driver for a software GPU, and the worked example of the DRM safe helpers.
 *
 * This file has the module, its devices and the table of ioctls. Buffers, address spaces,
 * jobs, the page table and the engine have files of their own.
 */

#include <linux/device/faux.h>
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait_bit.h>

#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>

#include "sgpu_bo.h"
#include "sgpu_drv.h"
#include "sgpu_fault.h"
#include "sgpu_mmu.h"
#include "sgpu_sched.h"
#include "sgpu_vm.h"

#define SGPU_MAX_DEVICES	16

struct sgpu_live sgpu_live;
struct workqueue_struct *sgpu_wq;
/* For work that waits for the locks of other drivers. No job may have to wait behind such work. */
static struct workqueue_struct *sgpu_vmaps_wq;

static unsigned int sgpu_num_platform = 2;
module_param_named(platform, sgpu_num_platform, uint, 0444);
MODULE_PARM_DESC(platform, "Number of platform devices to make (default: 2)");

static unsigned int sgpu_num_faux;
module_param_named(faux, sgpu_num_faux, uint, 0444);
MODULE_PARM_DESC(faux, "Number of faux devices to make (default: 0)");

static int sgpu_live_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "devices %d bos %d vmaps %d vms %d jobs %d\n",
			  atomic_read(&sgpu_live.devices),
			  atomic_read(&sgpu_live.bos),
			  atomic_read(&sgpu_live.vmaps),
			  atomic_read(&sgpu_live.vms),
			  atomic_read(&sgpu_live.jobs));
}

static const struct kernel_param_ops sgpu_live_ops = {
	.get = sgpu_live_get,
};

module_param_cb(live, &sgpu_live_ops, NULL, 0444);
MODULE_PARM_DESC(live, "How many of the driver's objects are alive");

/*
 * Copies an array of the client to memory that is charged to the client. The caller limits
 * @count, and frees the copy with kvfree().
 */
void *sgpu_copy_array(u64 user, u32 count, size_t size)
{
	void *copy;

	/* A pointer in the kernel can be shorter than one in the ioctl. */
	if (user != (uintptr_t)user)
		return ERR_PTR(-EFAULT);

	copy = kvmalloc_array(count, size, GFP_KERNEL_ACCOUNT);
	if (!copy)
		return ERR_PTR(-ENOMEM);
	if (copy_from_user(copy, u64_to_user_ptr(user), array_size(count, size))) {
		kvfree(copy);
		return ERR_PTR(-EFAULT);
	}
	return copy;
}

static int sgpu_ioctl_info(const struct sgpu_reg *reg, struct drm_sgpu_info *args,
			   struct drm_file *file)
{
	if (args->pad)
		return -EINVAL;

	args->va_start = SGPU_VA_START;
	args->va_end = SGPU_VA_END;
	args->max_cmd_size = SGPU_MAX_CMD_SIZE;
	args->page_size = PAGE_SIZE;
	return 0;
}

DRM_DEV_CTX_IOCTL(SGPU_INFO, sgpu_ioctl_info, sgpu_reg, struct drm_sgpu_info);
DRM_DEV_CTX_IOCTL(SGPU_BO_CREATE, sgpu_ioctl_bo_create, sgpu_reg, struct drm_sgpu_bo_create);
DRM_DEV_CTX_IOCTL(SGPU_VM_CREATE, sgpu_ioctl_vm_create, sgpu_reg, struct drm_sgpu_vm_create);
DRM_DEV_CTX_IOCTL(SGPU_VM_DESTROY, sgpu_ioctl_vm_destroy, sgpu_reg, struct drm_sgpu_vm_destroy);
DRM_DEV_CTX_IOCTL(SGPU_VM_FAULT, sgpu_ioctl_vm_fault, sgpu_reg, struct drm_sgpu_vm_fault);

/* Unguarded: these can wait long for the lock of an exporter, and an unplug waits for sections. */
DRM_DEV_CTX_IOCTL_UNGUARDED(SGPU_BO_MMAP_OFFSET, sgpu_ioctl_bo_mmap_offset,
			    struct drm_sgpu_bo_mmap_offset);
DRM_DEV_CTX_IOCTL_UNGUARDED(SGPU_BO_VMAP, sgpu_ioctl_bo_vmap, struct drm_sgpu_bo_vmap);
DRM_DEV_CTX_IOCTL_UNGUARDED(SGPU_BO_VUNMAP, sgpu_ioctl_bo_vunmap, struct drm_sgpu_bo_vunmap);
DRM_DEV_CTX_IOCTL_UNGUARDED(SGPU_BO_MADVISE, sgpu_ioctl_bo_madvise, struct drm_sgpu_bo_madvise);
DRM_DEV_CTX_IOCTL_UNGUARDED(SGPU_VM_BIND, sgpu_ioctl_vm_bind, struct drm_sgpu_vm_bind);
DRM_DEV_CTX_IOCTL_UNGUARDED(SGPU_EXEC, sgpu_ioctl_exec, struct drm_sgpu_exec);

DRM_DEV_CTX_IOCTLS(sgpu_ioctls) = {
	DRM_DEV_CTX_IOCTL_DEF(SGPU_INFO, DRM_RENDER_ALLOW),
	DRM_DEV_CTX_IOCTL_DEF(SGPU_BO_CREATE, DRM_RENDER_ALLOW),
	DRM_DEV_CTX_IOCTL_DEF(SGPU_BO_MMAP_OFFSET, DRM_RENDER_ALLOW),
	DRM_DEV_CTX_IOCTL_DEF(SGPU_BO_VMAP, DRM_RENDER_ALLOW),
	DRM_DEV_CTX_IOCTL_DEF(SGPU_BO_VUNMAP, DRM_RENDER_ALLOW),
	DRM_DEV_CTX_IOCTL_DEF(SGPU_VM_CREATE, DRM_RENDER_ALLOW),
	DRM_DEV_CTX_IOCTL_DEF(SGPU_VM_DESTROY, DRM_RENDER_ALLOW),
	DRM_DEV_CTX_IOCTL_DEF(SGPU_VM_BIND, DRM_RENDER_ALLOW),
	DRM_DEV_CTX_IOCTL_DEF(SGPU_EXEC, DRM_RENDER_ALLOW),
	DRM_DEV_CTX_IOCTL_DEF(SGPU_VM_FAULT, DRM_RENDER_ALLOW),
	DRM_DEV_CTX_IOCTL_DEF(SGPU_BO_MADVISE, DRM_RENDER_ALLOW),
};

static int sgpu_open(struct drm_device *drm, struct drm_file *drm_file)
{
	struct sgpu_file *file = kzalloc_obj(*file, GFP_KERNEL_ACCOUNT);

	if (!file)
		return -ENOMEM;

	file->drm = drm_file;
	kref_init(&file->ref);
	drm_dev_ctx_ids_init(&sgpu_vm_ids_type, &file->vms, drm_file);
	xa_init_flags(&file->vmaps, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	drm_file->driver_priv = file;
	return 0;
}

static void sgpu_file_release(struct kref *ref)
{
	kfree(container_of(ref, struct sgpu_file, ref));
}

struct sgpu_file *sgpu_file_get(struct sgpu_file *file)
{
	kref_get(&file->ref);
	return file;
}

void sgpu_file_put(struct sgpu_file *file)
{
	kref_put(&file->ref, sgpu_file_release);
}

static void sgpu_vmaps_work(struct work_struct *work)
{
	struct sgpu_file *file = container_of(work, struct sgpu_file, vmaps_work);
	struct sgpu_vmap *vmap;
	unsigned long id;

	xa_for_each(&file->vmaps, id, vmap)
		sgpu_vmap_free(vmap);
	xa_destroy(&file->vmaps);
	sgpu_file_put(file);
}

static void sgpu_postclose(struct drm_device *drm, struct drm_file *drm_file)
{
	struct sgpu_file *file = drm_file->driver_priv;

	drm_dev_ctx_ids_fini(&file->vms);

	INIT_WORK(&file->vmaps_work, sgpu_vmaps_work);
	if (xa_empty(&file->vmaps))
		sgpu_file_put(file);
	else
		queue_work(sgpu_vmaps_wq, &file->vmaps_work);
}

/*
 * Once the count is 0, the module can be freed, but not before the end of this RCU section:
 * the kernel waits for a grace period before it frees the code of a module.
 */
static void sgpu_release(struct drm_device *drm)
{
	guard(rcu)();
	if (atomic_dec_and_test(&sgpu_live.devices))
		wake_up_var(&sgpu_live.devices);
}

DEFINE_DRM_SHMEM_FOPS(sgpu_fops);

static const struct drm_driver sgpu_driver = {
	.driver_features = DRIVER_GEM | DRIVER_RENDER | DRIVER_SYNCOBJ | DRIVER_SYNCOBJ_TIMELINE,
	.open = sgpu_open,
	.postclose = sgpu_postclose,
	.release = sgpu_release,
	.ioctls = sgpu_ioctls,
	.num_ioctls = ARRAY_SIZE(sgpu_ioctls),
	.fops = &sgpu_fops,
	.gem_create_object = sgpu_gem_create_object,
	DRM_SHMEM_DRIVER_OPS,
	.name = "sgpu",
	.desc = "software GPU",
	.major = 1,
};

static void sgpu_quiesce(const struct drm_dev_ctx_bound *bound, struct drm_dev_ctx_data *data)
{
	struct sgpu_hw *hw = container_of(data, struct sgpu_hw, base);

	sgpu_hw_stop(hw);
}

static void sgpu_release_hw(struct drm_dev_ctx_data *data)
{
	struct sgpu_hw *hw = container_of(data, struct sgpu_hw, base);

	sgpu_hw_put(hw);
}

static const struct drm_dev_ctx_ops sgpu_reg_ops = {
	.quiesce = sgpu_quiesce,
	.release = sgpu_release_hw,
};

/* The engine takes segments of any length. */
static struct device_dma_parameters sgpu_dma_parms = {
	.max_segment_size = UINT_MAX,
};

static int sgpu_probe(struct device *dev)
{
	struct sgpu_device *sgpu;
	struct sgpu_hw *hw;
	int ret;

	/* sgpu_bus_map() relies on this. */
	if (device_iommu_mapped(dev))
		return -EOPNOTSUPP;
	ret = dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	dev->dma_parms = &sgpu_dma_parms;

	struct drm_dev_ctx_unreg *unreg __free(drm_dev_ctx_unreg) =
		drm_dev_ctx_alloc(dev, &sgpu_driver, struct sgpu_device, ctx);
	if (IS_ERR(unreg))
		return PTR_ERR(unreg);
	atomic_inc(&sgpu_live.devices);

	sgpu = sgpu_dev(drm_dev_ctx_unreg_drm(unreg));
	ret = drmm_shmem_shrinker_init(&sgpu->ctx.drm, &sgpu->shrinker);
	if (ret)
		return ret;

	hw = sgpu_hw_create(dev);
	if (IS_ERR(hw))
		return PTR_ERR(hw);
	return drm_dev_ctx_register(dev, &unreg, &sgpu_reg_ops, &hw->base);
}

static int sgpu_platform_probe(struct platform_device *pdev)
{
	return sgpu_probe(&pdev->dev);
}

static struct platform_driver sgpu_platform_driver = {
	.probe = sgpu_platform_probe,
	.driver.name = "sgpu",
};

static int sgpu_faux_probe(struct faux_device *fdev)
{
	return sgpu_probe(&fdev->dev);
}

static const struct faux_device_ops sgpu_faux_ops = {
	.probe = sgpu_faux_probe,
};

static struct platform_device *sgpu_platform[SGPU_MAX_DEVICES];
static struct faux_device *sgpu_faux[SGPU_MAX_DEVICES];

static void sgpu_destroy_devices(void)
{
	unsigned int i;

	for (i = 0; i < SGPU_MAX_DEVICES; i++) {
		platform_device_unregister(sgpu_platform[i]);
		if (sgpu_faux[i])
			faux_device_destroy(sgpu_faux[i]);
	}
}

static int sgpu_create_devices(void)
{
	struct platform_device *pdev;
	char name[sizeof("sgpu-faux.4294967295")];
	unsigned int i;

	for (i = 0; i < sgpu_num_platform; i++) {
		pdev = platform_device_register_simple("sgpu", i, NULL, 0);
		if (IS_ERR(pdev))
			return PTR_ERR(pdev);
		sgpu_platform[i] = pdev;
	}
	for (i = 0; i < sgpu_num_faux; i++) {
		snprintf(name, sizeof(name), "sgpu-faux.%u", i);
		sgpu_faux[i] = faux_device_create(name, NULL, &sgpu_faux_ops);
		if (!sgpu_faux[i])
			return -ENODEV;
	}
	return 0;
}

static void sgpu_destroy_wqs(void)
{
	destroy_workqueue(sgpu_vmaps_wq);
	destroy_workqueue(sgpu_wq);
}

static int sgpu_create_wqs(void)
{
	sgpu_wq = alloc_workqueue("sgpu", WQ_UNBOUND, 0);
	if (!sgpu_wq)
		return -ENOMEM;
	sgpu_vmaps_wq = alloc_workqueue("sgpu_vmaps", WQ_UNBOUND, 0);
	if (!sgpu_vmaps_wq) {
		destroy_workqueue(sgpu_wq);
		return -ENOMEM;
	}
	return 0;
}

/*
 * Waits until @count, the number of objects called @name, is 0. The wait has no time limit, because
 * the code of the module is freed afterwards. A long wait is logged.
 */
static void sgpu_wait_for_none(atomic_t *count, const char *name)
{
	if (wait_var_event_timeout(count, !atomic_read(count), 10 * HZ))
		return;
	pr_warn("sgpu: unloading waits for %d %s\n", atomic_read(count), name);
	wait_var_event(count, !atomic_read(count));
}

/*
 * A cancelled job may still wait for a fence of another driver. If init failed, clients may still
 * have the devices open, and be in an ioctl that submits a job. Each job holds its device, so once
 * the devices are gone, no work item is queued any more.
 */
static void sgpu_wait_for_end(void)
{
	sgpu_wait_for_none(&sgpu_live.jobs, "jobs");
	sgpu_wait_for_none(&sgpu_live.devices, "devices");
	sgpu_destroy_wqs();
	sgpu_fault_exit();
}

static int __init sgpu_init(void)
{
	int ret;

	if (sgpu_num_platform > SGPU_MAX_DEVICES ||
	    sgpu_num_faux > SGPU_MAX_DEVICES)
		return -EINVAL;

	ret = sgpu_create_wqs();
	if (ret)
		return ret;

	ret = platform_driver_register(&sgpu_platform_driver);
	if (ret) {
		sgpu_destroy_wqs();
		return ret;
	}
	sgpu_fault_init();

	ret = sgpu_create_devices();
	if (ret) {
		sgpu_destroy_devices();
		platform_driver_unregister(&sgpu_platform_driver);
		sgpu_wait_for_end();
	}
	return ret;
}
module_init(sgpu_init);

static void __exit sgpu_exit(void)
{
	sgpu_destroy_devices();
	platform_driver_unregister(&sgpu_platform_driver);
	sgpu_wait_for_end();
}
module_exit(sgpu_exit);

MODULE_DESCRIPTION("Software GPU, a sample for the DRM safe helpers");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_IMPORT_NS("DMA_BUF");
