// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Address spaces that end in unusual places: in the clean-up of another one, while
 * somebody holds the lock of another one, in a worker for memory reclaim; and the
 * device, which ends with the last of them.
 */

#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <drm/drm_drv.h>
#include <drm/drm_managed.h>

#ifdef CONFIG_TRACEPOINTS
#include <linux/tracepoint.h>
#endif

#include "drm_gpuvm_imm_internal.h"
#include "drm_gpuvm_imm_test.h"
#ifdef CONFIG_TRACEPOINTS
#include "drm_gpuvm_imm_trace.h"
#endif
#include "drm_safe_test.h"

struct end_vm {
	DRM_GPUVM_IMM_CORE(core);
};

/* A client that drops an update of an address space whenever one has been cleaned up */
struct end_client {
	struct drm_gpuvm_imm_update updates[5];
	struct completion drop;
	struct completion dropped;
	struct completion ended;	/* a worker waits for that, if it can come */
	struct completion done;
	atomic_t left;
};

/* The action at the end of the data that holds the hook */
struct end_hook {
	struct end_vm *ends;		/* this address space ends, */
	bool flushes;			/* or everything is flushed, */
	struct drm_gpuvm_imm_update *drops;	/* or this is dropped, */
	struct end_client *client;		/* or this client drops something, */
	struct completion *inside;	/* after the first was completed, */
	struct completion *leave;	/* and this was waited for */
	unsigned int calls;
	struct kunit *test;		/* expects that this is reported */
	struct task_struct *in;		/* the task that the last call was in */
	bool sleeps;			/* before all of this */
	bool left;
};

struct end_va {
	struct end_hook *hook;
};

struct end_bo {
	struct end_hook *hook;
};

/* For a vm_bo without one */
static struct end_hook *const end_no_hook;

DRM_GPUVM_IMM_TYPE_VM_BO(end_vm_type, struct end_vm, core, struct end_va,
			 struct test_bo, base, struct end_bo, struct end_hook);

static void end_vm_end(struct end_vm *vm)
{
	drm_gpuvm_imm_fini(vm->core);
	kfree(vm);
}

/* Reports are suppressed in the task that asks for it. */
static void end_hook_flush(struct end_hook *hook)
{
	if (!hook->test) {
		drm_gpuvm_imm_flush();
		return;
	}
	kunit_warning_suppress(hook->test) {
		drm_gpuvm_imm_flush();
		EXPECT_BROKEN(hook->test, "a clean-up does not wait for itself");
	}
}

static void end_client_drop(struct end_client *client)
{
	if (current->flags & PF_WQ_WORKER)
		wait_for_completion_timeout(&client->ended, HZ);
	if (atomic_read(&client->left) <= 0)
		return;
	complete(&client->drop);
	wait_for_completion(&client->dropped);
}

static void end_hook_call(struct end_hook *hook)
{
	if (!hook)
		return;
	hook->calls++;
	hook->in = current;
	if (hook->sleeps)
		schedule_timeout_uninterruptible(1);
	if (hook->inside) {
		complete(hook->inside);
		wait_for_completion(hook->leave);
	}
	if (hook->ends)
		end_vm_end(hook->ends);
	if (hook->flushes)
		end_hook_flush(hook);
	if (hook->drops)
		drm_gpuvm_imm_update_drop(hook->drops);
	if (hook->client)
		end_client_drop(hook->client);
	WRITE_ONCE(hook->left, true);
}

static void end_va_get(const struct drm_gpuva *va)
	__drm_nonallocating
{
	/* Nothing is split here. */
}

static void end_va_put(const struct drm_gpuva *va)
{
	end_hook_call(drm_gpuvm_imm_va_data(&end_vm_type, va)->hook);
}

static int end_bo_init(struct drm_gpuvm_bo *vm_bo, void *arg)
{
	drm_gpuvm_imm_bo_data(&end_vm_type, vm_bo)->hook = arg;
	return 0;
}

static void end_bo_fini(struct drm_gpuvm_bo *vm_bo)
{
	end_hook_call(drm_gpuvm_imm_bo_data(&end_vm_type, vm_bo)->hook);
}

static struct drm_gpuvm_imm_mapped *
end_vm_map(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_map_step *step)
	__drm_nonallocating
{
	return drm_gpuvm_imm_map_done(step);
}

static struct drm_gpuvm_imm_unmapped *
end_vm_unmap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_unmap_step *step)
	__drm_nonallocating
{
	return drm_gpuvm_imm_unmap_done(step);
}

static struct drm_gpuvm_imm_remapped *
end_vm_remap(struct drm_gpuvm_imm_core *core, const struct drm_gpuvm_imm_remap_step *step)
	__drm_nonallocating
{
	return drm_gpuvm_imm_remap_done(step);
}

const struct end_vm_type end_vm_type = {
	.base.granule = TEST_PAGE,
	.base.obj_funcs = &test_bo_funcs,
	.base.map = end_vm_map,
	.base.unmap = end_vm_unmap,
	.base.remap = end_vm_remap,
	.base.va_get = end_va_get,
	.base.va_put = end_va_put,
	.base.bo_init = end_bo_init,
	.base.bo_fini = end_bo_fini,
};

static const struct drm_gpuvm_imm_config end_config = {
	.name = "end",
	.start = TEST_START,
	.range = TEST_PAGES * TEST_PAGE,
};

static struct end_vm *end_vm_new(struct kunit *test)
{
	struct test_env *env = test->priv;
	struct end_vm *vm = kzalloc_obj(*vm);

	KUNIT_ASSERT_NOT_NULL(test, vm);
	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_init(&end_vm_type, vm, env->drm, &end_config), 0);
	return vm;
}

/* Map one page, with a hook for the mapping and one for the object in the VM. */
static void end_map(struct kunit *test, struct end_vm *vm, struct test_bo *bo,
		    struct end_hook *va_hook, struct end_hook *bo_hook)
{
	DRM_GPUVM_IMM_UPDATE(update);

	KUNIT_ASSERT_EQ(test, 0, drm_gpuvm_imm_prepare_map(&end_vm_type,
							   drm_gpuvm_imm_shared(vm->core), update,
							   bo, TEST_START, TEST_PAGE, 0, bo_hook));
	drm_gpuvm_imm_update_data(&end_vm_type, update)->hook = va_hook;
	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_run(&end_vm_type, vm, update, NULL), 0);
}

static void end_unmap(struct kunit *test, struct end_vm *vm)
{
	DRM_GPUVM_IMM_UPDATE(update);

	KUNIT_ASSERT_EQ(test, 0, drm_gpuvm_imm_prepare_unmap(drm_gpuvm_imm_shared(vm->core), update,
							     TEST_START, TEST_PAGE));
	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_run(&end_vm_type, vm, update, NULL), 0);
}

/* Where the last reference to another address space can be */
enum end_place { END_IN_VA_PUT, END_IN_BO_FINI, END_IN_OBJECT, END_PLACES };

static void end_in_free(struct test_bo *bo)
{
	end_hook_call(bo->hook);
}

/* An object that has another address space end in one of these places */
static struct test_bo *end_map_at(struct kunit *test, struct end_vm *vm, enum end_place place,
				  struct end_hook *hook)
{
	struct test_bo *bo = test_bo_new(test, 1, NULL);

	end_map(test, vm, bo, place == END_IN_VA_PUT ? hook : NULL,
		place == END_IN_BO_FINI ? hook : NULL);
	if (place == END_IN_OBJECT) {
		bo->hook = hook;
		bo->in_free = end_in_free;
	}
	test_bo_end(test, bo);

	return bo;
}

/* In a work item, and where the end of the first address space cleans up itself */
static void end_in_clean_up(struct kunit *test)
{
	struct test_env *env = test->priv;

	for (int i = 0; i < 2 * END_PLACES; i++) {
		bool in_work = i % 2;
		struct end_hook hook = {}, inner = {};
		struct end_vm *vm = end_vm_new(test);

		hook.ends = end_vm_new(test);
		end_map_at(test, hook.ends, END_IN_VA_PUT, &inner);
		end_map_at(test, vm, i / 2, &hook);
		if (in_work) {
			end_unmap(test, vm);
			drm_gpuvm_imm_flush();
			KUNIT_EXPECT_EQ_MSG(test, hook.calls, 1, "way %d", i);
		}
		end_vm_end(vm);
		KUNIT_EXPECT_EQ_MSG(test, hook.calls, 1, "way %d", i);
		KUNIT_EXPECT_EQ_MSG(test, inner.calls, 1, "way %d", i);
		KUNIT_EXPECT_EQ_MSG(test, atomic_read(&env->live_bos), 0, "way %d", i);
	}
}

/* A mapping may hold the address space that it is in. */
static void end_of_itself(struct kunit *test)
{
	struct test_env *env = test->priv;

	for (int place = 0; place < END_PLACES; place++) {
		struct end_vm *vm = end_vm_new(test);
		struct end_hook hook = { .ends = vm };

		end_map_at(test, vm, place, &hook);
		end_unmap(test, vm);
		drm_gpuvm_imm_flush();
		KUNIT_EXPECT_EQ(test, hook.calls, 1);
		KUNIT_EXPECT_EQ(test, atomic_read(&env->live_bos), 0);
	}
}

/* The clean-up leaves something behind itself: the end waits for that, too. */
static void end_drops_more(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct end_vm *vm = end_vm_new(test);
	struct end_hook inner = {}, hook = { .drops = update };
	struct test_bo *bo = test_bo_new(test, 1, NULL);

	KUNIT_ASSERT_EQ(test, 0, drm_gpuvm_imm_prepare_map(&end_vm_type,
							   drm_gpuvm_imm_shared(vm->core), update,
							   bo, TEST_START, TEST_PAGE, 0,
							   end_no_hook));
	drm_gpuvm_imm_update_data(&end_vm_type, update)->hook = &inner;
	end_map_at(test, vm, END_IN_VA_PUT, &hook);
	end_vm_end(vm);
	KUNIT_EXPECT_EQ(test, hook.calls, 1);
	KUNIT_EXPECT_EQ(test, inner.calls, 1);
	KUNIT_EXPECT_EQ(test, kref_read(&bo->base.refcount), 1);
}

static int end_client_fn(void *data)
{
	struct end_client *client = data;

	for (int i = 0; i < ARRAY_SIZE(client->updates); i++) {
		wait_for_completion(&client->drop);
		drm_gpuvm_imm_update_drop(&client->updates[i]);
		atomic_dec(&client->left);
		complete(&client->dropped);
	}
	complete(&client->done);

	return 0;
}

/* The end does not clean up after another task for as long as that drops more. */
static void end_under_load(struct kunit *test)
{
	struct end_client *client = kunit_kzalloc(test, sizeof(*client), GFP_KERNEL);
	struct end_vm *vm = end_vm_new(test);
	struct end_hook hook = { .client = client };
	const int n = ARRAY_SIZE(client->updates);

	KUNIT_ASSERT_NOT_NULL(test, client);
	init_completion(&client->drop);
	init_completion(&client->dropped);
	init_completion(&client->ended);
	init_completion(&client->done);
	atomic_set(&client->left, n);
	for (int i = 0; i < n; i++) {
		KUNIT_ASSERT_EQ(test, 0,
				drm_gpuvm_imm_prepare_map_sparse(drm_gpuvm_imm_shared(vm->core),
								 &client->updates[i], TEST_START,
								 TEST_PAGE));
		drm_gpuvm_imm_update_data(&end_vm_type, &client->updates[i])->hook = &hook;
	}
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(end_client_fn, client, "end-client")));
	end_map_at(test, vm, END_IN_VA_PUT, &hook);
	end_vm_end(vm);
	KUNIT_EXPECT_EQ(test, atomic_read(&client->left), n - 1);
	/* The drain cleans up the others. */
	complete_all(&client->ended);
	wait_for_completion(&client->done);
	drm_gpuvm_imm_flush();
	KUNIT_EXPECT_EQ(test, hook.calls, n + 1);
}

/*
 * The task that ends the core cleans up everything that is left, even if no worker gets to
 * run.
 */
static void end_needs_no_worker(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct end_hook inner = {}, hook = { .drops = update };
	struct test_bo *bo;
	struct end_vm *vm;

	if (num_online_cpus() > 1)
		kunit_skip(test, "a worker can run on another CPU");

	vm = end_vm_new(test);
	bo = test_bo_new(test, 1, NULL);
	KUNIT_ASSERT_EQ(test, 0, drm_gpuvm_imm_prepare_map(&end_vm_type,
							   drm_gpuvm_imm_shared(vm->core), update,
							   bo, TEST_START, TEST_PAGE, 0,
							   end_no_hook));
	drm_gpuvm_imm_update_data(&end_vm_type, update)->hook = &inner;
	end_map_at(test, vm, END_IN_VA_PUT, &hook);
	/* It runs until it sleeps. */
	sched_set_fifo(current);
	end_vm_end(vm);
	sched_set_normal(current, 0);
	KUNIT_EXPECT_PTR_EQ(test, hook.in, current);
	KUNIT_EXPECT_PTR_EQ(test, inner.in, current);
}

static void end_needs_modules(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_MODULES))
		kunit_skip(test, "needs CONFIG_MODULES");
}

/* As if the exit function of a module with @size bytes at @base had returned */
static void end_module_goes(struct kunit *test, const void *base, size_t size)
{
	struct module *module = kunit_kzalloc(test, sizeof(*module), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, module);
	module->mem[MOD_RODATA].base = (void *)base;
	module->mem[MOD_RODATA].size = size;
	KUNIT_EXPECT_EQ(test, NOTIFY_DONE,
			drm_gpuvm_imm_module_event(NULL, MODULE_STATE_GOING, module));
	kunit_kfree(test, module);
}

/*
 * Work that the exit function of a module leaves to a work item ends before the memory of the
 * module is released. The module may contain the type or the driver.
 */
static void end_before_module(struct kunit *test)
{
	struct test_env *env = test->priv;

	end_needs_modules(test);
	for (int i = 0; i < 2; i++) {
		struct end_vm *vm = end_vm_new(test);
		struct end_hook hook = { .sleeps = true };

		end_map_at(test, vm, END_IN_BO_FINI, &hook);
		end_unmap(test, vm);
		if (i)
			end_module_goes(test, env->drm->driver, sizeof(*env->drm->driver));
		else
			end_module_goes(test, &end_vm_type, sizeof(end_vm_type));
		KUNIT_EXPECT_TRUE(test, READ_ONCE(hook.left));
		drm_gpuvm_imm_flush();
		end_vm_end(vm);
	}
}

/* A module does not wait for the address spaces of others. */
static void end_other_module(struct kunit *test)
{
	DECLARE_COMPLETION_ONSTACK(inside);
	DECLARE_COMPLETION_ONSTACK(leave);
	struct end_hook hook = { .inside = &inside, .leave = &leave };
	struct end_vm *vm;

	end_needs_modules(test);
	vm = end_vm_new(test);
	end_map_at(test, vm, END_IN_BO_FINI, &hook);
	end_unmap(test, vm);
	wait_for_completion(&inside);
	end_module_goes(test, &inside, sizeof(inside));
	KUNIT_EXPECT_FALSE(test, READ_ONCE(hook.left));
	complete(&leave);
	drm_gpuvm_imm_flush();
	KUNIT_EXPECT_TRUE(test, hook.left);
	end_vm_end(vm);
}

/* Lets a hook leave while this task waits. */
struct end_leave {
	struct delayed_work work;
	struct completion leave;
};

static void end_leave_fn(struct work_struct *work)
{
	complete(&container_of(work, struct end_leave, work.work)->leave);
}

/* A module waits for code that is called for an address space that is gone. */
static void end_module_in_last_put(struct kunit *test)
{
	DECLARE_COMPLETION_ONSTACK(inside);
	struct end_leave leave = {};
	struct end_hook hook = { .inside = &inside, .leave = &leave.leave };
	struct drm_gpuvm_imm_config config = end_config;
	struct test_env *env = test->priv;
	struct drm_gpuvm_imm *shared;
	struct test_bo *bo;
	struct end_vm *vm;

	end_needs_modules(test);
	bo = test_bo_new(test, 1, NULL);
	vm = kzalloc_obj(*vm);
	KUNIT_ASSERT_NOT_NULL(test, vm);
	init_completion(&leave.leave);
	INIT_DELAYED_WORK_ONSTACK(&leave.work, end_leave_fn);
	config.resv_obj = &bo->base;
	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_init(&end_vm_type, vm, env->drm, &config), 0);
	shared = drm_gpuvm_imm_get(vm->core);
	end_vm_end(vm);
	bo->hook = &hook;
	bo->in_free = end_in_free;
	test_bo_end(test, bo);
	/* The drain puts the last reference to the address space, and then that to the object. */
	drm_gpuvm_imm_put(shared);
	wait_for_completion(&inside);
	schedule_delayed_work(&leave.work, 2);
	end_module_goes(test, &end_vm_type, sizeof(end_vm_type));
	KUNIT_EXPECT_TRUE(test, READ_ONCE(hook.left));
	flush_delayed_work(&leave.work);
	destroy_delayed_work_on_stack(&leave.work);
	drm_gpuvm_imm_flush();
}

/*
 * A chain of address spaces. Each one holds the last reference to the next one, one of them through
 * another address space, which its clean-up ends.
 */
struct end_chain {
	struct drm_gpuvm_imm_update update[6];
	struct end_hook hook[6], nested;
	struct test_bo *bo;
};

static void end_chain_make(struct kunit *test, struct end_chain *chain)
{
	const unsigned int n = ARRAY_SIZE(chain->update);
	struct end_vm *vm;

	chain->bo = test_bo_new(test, 1, NULL);
	for (unsigned int i = 0; i < n; i++) {
		vm = end_vm_new(test);
		KUNIT_ASSERT_EQ(test, 0,
				drm_gpuvm_imm_prepare_map(&end_vm_type,
							  drm_gpuvm_imm_shared(vm->core),
							  &chain->update[i], chain->bo, TEST_START,
							  TEST_PAGE, 0, end_no_hook));
		drm_gpuvm_imm_update_data(&end_vm_type, &chain->update[i])->hook = &chain->hook[i];
		chain->hook[i].sleeps = true;
		if (i + 1 < n)
			chain->hook[i].drops = &chain->update[i + 1];
		end_vm_end(vm);
	}
	swap(chain->hook[2].drops, chain->nested.drops);
	chain->hook[2].ends = end_vm_new(test);
	end_map(test, chain->hook[2].ends, chain->bo, &chain->nested, NULL);
}

/* Returns how many are gone. */
static unsigned int end_chain_flush(struct end_chain *chain)
{
	unsigned int gone = 0;

	drm_gpuvm_imm_update_drop(&chain->update[0]);
	drm_gpuvm_imm_flush();
	for (unsigned int i = 0; i < ARRAY_SIZE(chain->hook); i++)
		gone += READ_ONCE(chain->hook[i].left);

	return gone;
}

/* A flush waits for all. */
static void end_flush_of_chain(struct kunit *test)
{
	struct end_chain *chain = kunit_kzalloc(test, sizeof(*chain), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, chain);
	end_chain_make(test, chain);
	KUNIT_EXPECT_EQ(test, end_chain_flush(chain), ARRAY_SIZE(chain->hook));
	for (unsigned int i = 0; i < ARRAY_SIZE(chain->hook); i++)
		KUNIT_EXPECT_EQ(test, chain->hook[i].calls, 1);
	KUNIT_EXPECT_EQ(test, kref_read(&chain->bo->base.refcount), 1);
}

/* Clean-ups of other address spaces. Each one ends when the next one has begun. */
struct end_load {
	struct completion inside[2], leave[2];
	struct end_hook hook[2];
	struct end_vm *vm[2];
	struct test_bo *bo;
	unsigned int rounds;
};

static void end_load_round(struct kunit *test, struct end_load *load)
{
	unsigned int next = load->rounds++ % 2;

	end_map(test, load->vm[next], load->bo, &load->hook[next], NULL);
	end_unmap(test, load->vm[next]);
	wait_for_completion(&load->inside[next]);
	complete(&load->leave[!next]);
	schedule_timeout_uninterruptible(1);
}

static void end_load_begin(struct kunit *test, struct end_load *load)
{
	load->bo = test_bo_new(test, 1, NULL);
	for (int i = 0; i < 2; i++) {
		init_completion(&load->inside[i]);
		init_completion(&load->leave[i]);
		load->hook[i].inside = &load->inside[i];
		load->hook[i].leave = &load->leave[i];
		load->vm[i] = end_vm_new(test);
	}
	end_load_round(test, load);
	/* Nothing is in the other one that this is for. */
	reinit_completion(&load->leave[1]);
}

static void end_load_end(struct end_load *load)
{
	for (int i = 0; i < 2; i++) {
		complete_all(&load->leave[i]);
		end_vm_end(load->vm[i]);
	}
}

struct end_flusher {
	struct end_chain chain;
	struct completion done;
	unsigned int gone;
};

static int end_flusher_fn(void *data)
{
	struct end_flusher *flusher = data;

	flusher->gone = end_chain_flush(&flusher->chain);
	complete(&flusher->done);

	return 0;
}

/* A flush waits for objects that were dropped before it, and not for later ones. */
static void end_flush_under_load(struct kunit *test)
{
	struct end_flusher *flusher = kunit_kzalloc(test, sizeof(*flusher), GFP_KERNEL);
	struct end_load load = {};
	const unsigned int limit = 300;

	KUNIT_ASSERT_NOT_NULL(test, flusher);
	init_completion(&flusher->done);
	end_chain_make(test, &flusher->chain);
	end_load_begin(test, &load);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(end_flusher_fn, flusher, "end-flusher")));
	while (!completion_done(&flusher->done) && load.rounds < limit)
		end_load_round(test, &load);
	KUNIT_EXPECT_LT(test, load.rounds, limit);
	end_load_end(&load);
	wait_for_completion(&flusher->done);
	KUNIT_EXPECT_EQ(test, flusher->gone, ARRAY_SIZE(flusher->chain.hook));
}

/* Two address spaces end each other, while both are cleaned up. */
static void end_each_other(struct kunit *test)
{
	struct completion inside[2], leave;
	struct end_hook hook[2] = {};
	struct end_vm *vm[2];

	init_completion(&leave);
	for (int i = 0; i < 2; i++) {
		init_completion(&inside[i]);
		vm[i] = end_vm_new(test);
	}
	for (int i = 0; i < 2; i++) {
		hook[i].ends = vm[!i];
		hook[i].inside = &inside[i];
		hook[i].leave = &leave;
		end_map_at(test, vm[i], END_IN_VA_PUT, &hook[i]);
		end_unmap(test, vm[i]);
	}
	for (int i = 0; i < 2; i++)
		wait_for_completion(&inside[i]);
	complete_all(&leave);
	drm_gpuvm_imm_flush();
	for (int i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, hook[i].calls, 1);
}

struct end_work {
	struct work_struct work;
	struct end_vm *vm;
};

static void end_work_fn(struct work_struct *work)
{
	end_vm_end(container_of(work, struct end_work, work)->vm);
}

/*
 * The clean-up of one waits for a lock that another thread has. The end of another one
 * waits for neither, also in a worker which memory reclaim may wait for.
 */
static void end_while_other_waits(struct kunit *test)
{
	struct workqueue_struct *wq = alloc_workqueue("end", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	struct end_vm *other = end_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 1, NULL);
	struct test_holder holder = {
		.resv = drm_gpuvm_imm_resv_obj(drm_gpuvm_imm_shared(other->core))->resv,
	};
	struct drm_gpuvm_bo *vm_bo;
	struct end_hook none = {};
	struct end_work work;

	KUNIT_ASSERT_NOT_NULL(test, wq);
	vm_bo = drm_gpuvm_imm_obtain(&end_vm_type, drm_gpuvm_imm_shared(other->core), bo, &none);
	KUNIT_ASSERT_FALSE(test, IS_ERR(vm_bo));
	init_completion(&holder.locked);
	init_completion(&holder.unlock);
	init_completion(&holder.done);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(test_holder_fn, &holder, "end-holder")));
	wait_for_completion(&holder.locked);
	drm_gpuvm_imm_bo_put(vm_bo);

	work.vm = end_vm_new(test);
	end_map(test, work.vm, bo, NULL, NULL);
	end_vm_end(work.vm);

	INIT_WORK_ONSTACK(&work.work, end_work_fn);
	work.vm = end_vm_new(test);
	end_map(test, work.vm, bo, NULL, NULL);
	queue_work(wq, &work.work);
	flush_work(&work.work);
	destroy_work_on_stack(&work.work);

	KUNIT_EXPECT_EQ(test, none.calls, 0);
	complete(&holder.unlock);
	wait_for_completion(&holder.done);
	destroy_workqueue(wq);
	end_vm_end(other);
	KUNIT_EXPECT_EQ(test, none.calls, 1);
}

struct end_thread {
	struct end_vm *vm;
	struct end_hook *hook;
	struct completion done;
	bool left;
};

static int end_thread_fn(void *data)
{
	struct end_thread *thread = data;

	end_vm_end(thread->vm);
	thread->left = READ_ONCE(thread->hook->left);
	complete(&thread->done);

	return 0;
}

/* The end waits for the clean-up of the same address space in another task. */
static void end_waits_for_own(struct kunit *test)
{
	struct completion inside, leave;
	struct end_hook hook = { .inside = &inside, .leave = &leave };
	struct end_thread thread = { .vm = end_vm_new(test), .hook = &hook };
	struct task_struct *task;

	init_completion(&inside);
	init_completion(&leave);
	init_completion(&thread.done);
	end_map_at(test, thread.vm, END_IN_VA_PUT, &hook);
	end_unmap(test, thread.vm);
	wait_for_completion(&inside);

	task = kthread_create(end_thread_fn, &thread, "end-thread");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	get_task_struct(task);
	wake_up_process(task);
	/* It sleeps, or it is through and did not wait. */
	while (!completion_done(&thread.done) &&
	       READ_ONCE(task->__state) != TASK_UNINTERRUPTIBLE)
		schedule_timeout_uninterruptible(1);
	complete(&leave);
	wait_for_completion(&thread.done);
	put_task_struct(task);
	KUNIT_EXPECT_TRUE(test, thread.left);
	KUNIT_EXPECT_EQ(test, hook.calls, 1);
}

static void end_flush_in_clean_up(struct kunit *test)
{
	struct end_vm *vm = end_vm_new(test);
	struct end_hook hook = { .flushes = true };

	end_map_at(test, vm, END_IN_VA_PUT, &hook);
	kunit_warning_suppress(test) {
		end_vm_end(vm);
		EXPECT_BROKEN(test, "a clean-up does not wait for itself");
	}
	KUNIT_EXPECT_EQ(test, hook.calls, 1);
}

/* In the last put of an address space, by its end or by a work item */
static void end_flush_in_last_put(struct kunit *test)
{
	struct test_env *env = test->priv;

	for (int in_work = 0; in_work < 2; in_work++) {
		struct test_bo *bo = test_bo_new(test, 1, NULL);
		struct drm_gpuvm_imm_config config = end_config;
		struct end_hook hook = { .flushes = true, .test = test };
		struct drm_gpuvm_imm *shared;
		struct end_vm vm = {};

		/* The address space has the last reference to the object. */
		config.resv_obj = &bo->base;
		KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_init(&end_vm_type, &vm, env->drm, &config), 0);
		bo->hook = &hook;
		bo->in_free = end_in_free;
		test_bo_end(test, bo);

		shared = in_work ? drm_gpuvm_imm_get(vm.core) : NULL;
		drm_gpuvm_imm_fini(vm.core);
		drm_gpuvm_imm_put(shared);
		drm_gpuvm_imm_flush();
		KUNIT_EXPECT_EQ(test, hook.calls, 1);
		KUNIT_EXPECT_EQ(test, hook.in != current, in_work);
	}
}

/* The task that puts the last reference to the device */
struct end_device {
	struct task_struct *caller;
	unsigned int by_caller;
	unsigned int by_others;
};

static void end_device_gone(struct drm_device *drm, void *res)
{
	struct end_device *device = res;

	if (current == device->caller)
		device->by_caller++;
	else
		device->by_others++;
}

static const struct drm_driver end_driver = {
	.driver_features = DRIVER_GEM,
	.name = "drm_gpuvm_imm_end",
	.desc = "test driver of drm_gpuvm_imm",
};

/* The last reference to an address space, which has the last one to the device */
static void end_last_put(struct kunit *test, struct device *parent, struct end_device *device,
			 bool update)
{
	struct drm_device *drm = drm_dev_alloc(&end_driver, parent);
	struct drm_gpuvm_imm_update last = {};
	struct drm_gpuvm_imm *shared;
	struct end_vm vm = {};
	bool cookie;

	KUNIT_ASSERT_FALSE(test, IS_ERR(drm));
	KUNIT_ASSERT_EQ(test, 0, drmm_add_action(drm, end_device_gone, device));
	KUNIT_ASSERT_EQ(test, drm_gpuvm_imm_init(&end_vm_type, &vm, drm, &end_config), 0);
	shared = drm_gpuvm_imm_get(vm.core);
	if (update) {
		KUNIT_ASSERT_EQ(test, 0, drm_gpuvm_imm_prepare_unmap(shared, &last, TEST_START,
								     TEST_PAGE));
		drm_gpuvm_imm_put(shared);
	}
	drm_gpuvm_imm_fini(vm.core);
	drm_dev_put(drm);

	cookie = dma_fence_begin_signalling();
	if (update)
		drm_gpuvm_imm_update_drop(&last);
	else
		drm_gpuvm_imm_put(shared);
	dma_fence_end_signalling(cookie);
}

/* The actions of the device take locks and free memory: not in the signalling path. */
static void end_device_last(struct kunit *test)
{
	struct device *parent = drm_safe_test_parent(test);
	struct end_device device = { .caller = current };
	const unsigned int rounds = 200;

	/* A caller that a worker can overtake, and one that it cannot */
	for (unsigned int i = 0; i < rounds; i++) {
		set_user_nice(current, i % 2 ? 19 : 0);
		end_last_put(test, parent, &device, i / 2 % 2);
		drm_gpuvm_imm_flush();
	}
	set_user_nice(current, 0);
	KUNIT_EXPECT_EQ(test, device.by_caller, 0);
	KUNIT_EXPECT_EQ(test, device.by_others, rounds);
}

/* The core puts the last reference, and the library cannot tell whether it may sleep. */
static void end_last_put_of_core(struct kunit *test)
{
	struct end_vm *vm = end_vm_new(test);
	struct drm_gpuvm_imm *shared = drm_gpuvm_imm_get(vm->core);

	end_vm_end(vm);
	kunit_warning_suppress(test) {
		drm_gpuvm_put(&shared->base);
		EXPECT_BROKEN(test, "a clean-up puts the last reference to an address space");
	}
}

/*
 * The task that ends an address space holds its reservation lock, itself or where it puts the last
 * reference to an object: this is reported, and a work item cleans up.
 */
static void end_locked(struct kunit *test)
{
	struct test_env *env = test->priv;

	for (int i = 0; i < 2; i++) {
		struct end_vm *vm = end_vm_new(test);
		struct end_hook hook = {}, in_free = { .ends = vm };
		struct drm_gem_object *resv_obj =
			drm_gpuvm_imm_resv_obj(drm_gpuvm_imm_shared(vm->core));
		struct test_bo *bo;

		end_map_at(test, vm, END_IN_VA_PUT, &hook);
		if (i) {
			bo = test_bo_new(test, 1, NULL);
			bo->hook = &in_free;
			bo->in_free = end_in_free;
		}
		drm_gem_object_get(resv_obj);
		dma_resv_lock(resv_obj->resv, NULL);
		kunit_warning_suppress(test) {
			if (i)
				test_bo_end(test, bo);
			else
				end_vm_end(vm);
			EXPECT_BROKEN(test, "an address space ends without its reservation lock");
		}
		KUNIT_EXPECT_EQ(test, in_free.calls, i);
		dma_resv_unlock(resv_obj->resv);
		drm_gpuvm_imm_flush();
		KUNIT_EXPECT_EQ(test, hook.calls, 1);
		KUNIT_EXPECT_EQ(test, kref_read(&resv_obj->refcount), 1);
		drm_gem_object_put(resv_obj);
		KUNIT_EXPECT_EQ(test, atomic_read(&env->live_bos), 0);
	}
}

#ifdef CONFIG_TRACEPOINTS
/* The puts of an address space before the mark that they begin */
struct end_marked {
	const struct drm_gpuvm_imm *vm;
	const struct end_hook *hook;
	unsigned int drains;
	unsigned int put_before;
};

static void end_mark(void *data, const struct drm_gpuvm_imm *vm)
{
	struct end_marked *marked = data;

	if (vm != marked->vm)
		return;
	marked->drains++;
	marked->put_before += marked->hook->calls;
}

static void end_is_marked_first(struct kunit *test)
{
	struct end_vm *vm = end_vm_new(test);
	struct end_hook hook = {};
	struct end_marked marked = { .vm = drm_gpuvm_imm_shared(vm->core), .hook = &hook };

	end_map_at(test, vm, END_IN_VA_PUT, &hook);
	KUNIT_ASSERT_EQ(test, register_trace_drm_gpuvm_imm_drain(end_mark, &marked), 0);
	end_vm_end(vm);
	unregister_trace_drm_gpuvm_imm_drain(end_mark, &marked);
	tracepoint_synchronize_unregister();
	KUNIT_EXPECT_EQ(test, hook.calls, 1);
	KUNIT_EXPECT_EQ(test, marked.drains, 1);
	KUNIT_EXPECT_EQ(test, marked.put_before, 0);
}
#else
static void end_is_marked_first(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_TRACEPOINTS");
}
#endif

#if defined(CONFIG_TRACEPOINTS) && defined(CONFIG_LOCKDEP)
/* Lockdep knows the waits of an end and of a flush, even if they have nothing to do. */
static void end_tells_lockdep(struct kunit *test)
{
	struct end_vm *vm = end_vm_new(test);
	struct dma_resv *resv = drm_gpuvm_imm_resv_obj(drm_gpuvm_imm_shared(vm->core))->resv;
	struct test_told told = { .resv = &resv->lock.base.dep_map };

	test_told_begin(test, &told);
	end_vm_end(vm);
	test_told_end(test, &told);
	KUNIT_EXPECT_EQ(test, told.resvs, 1);
	KUNIT_EXPECT_EQ(test, told.waits, 1);

	test_told_begin(test, &told);
	drm_gpuvm_imm_flush();
	test_told_end(test, &told);
	KUNIT_EXPECT_EQ(test, told.waits, 2);
}
#else
static void end_tells_lockdep(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_LOCKDEP and CONFIG_TRACEPOINTS");
}
#endif

#if defined(CONFIG_TRACEPOINTS) && defined(CONFIG_LOCKDEP)
/* The first time that a task releases a lock, or a later one: how many references a vm_bo has */
struct end_release {
	struct tracepoint *tp;
	struct task_struct *task;
	const struct lockdep_map *lock;
	struct drm_gpuvm_bo *vm_bo;
	unsigned int skip;
	unsigned int acquired;
	unsigned int times;
	unsigned int refs;
};

static void end_released(void *data, struct lockdep_map *lock, unsigned long ip)
{
	struct end_release *release = data;

	if (current == release->task && lock == release->lock && release->times++ == release->skip)
		release->refs = kref_read(&release->vm_bo->kref);
}

static void end_find_release(struct tracepoint *tp, void *release)
{
	if (!strcmp(tp->name, "lock_release"))
		((struct end_release *)release)->tp = tp;
}

/*
 * A mapping goes while another task has the vm_bo, which may put the last reference as soon as it
 * can: the task that unlinks the mapping holds the vm_bo until it has released the object's lock.
 */
static void end_unlink_holds_lock(struct kunit *test)
{
	struct end_vm *vm = end_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 1, NULL);
	struct end_release release = { .task = current, .lock = &bo->base.gpuva.lock.dep_map };

	end_map(test, vm, bo, NULL, NULL);
	release.vm_bo = drm_gpuvm_imm_obtain(&end_vm_type, drm_gpuvm_imm_shared(vm->core), bo,
					     end_no_hook);
	KUNIT_ASSERT_FALSE(test, IS_ERR(release.vm_bo));
	KUNIT_EXPECT_EQ(test, kref_read(&release.vm_bo->kref), 2);
	for_each_kernel_tracepoint(end_find_release, &release);
	KUNIT_ASSERT_NOT_NULL(test, release.tp);
	KUNIT_ASSERT_EQ(test, tracepoint_probe_register(release.tp, end_released, &release), 0);
	end_unmap(test, vm);
	KUNIT_EXPECT_EQ(test, tracepoint_probe_unregister(release.tp, end_released, &release), 0);
	tracepoint_synchronize_unregister();
	KUNIT_EXPECT_EQ(test, release.times, 1);
	KUNIT_EXPECT_EQ(test, release.refs, 2);
	KUNIT_EXPECT_EQ(test, kref_read(&release.vm_bo->kref), 1);
	drm_gpuvm_imm_bo_put(release.vm_bo);
	test_bo_end(test, bo);
	end_vm_end(vm);
}

/* A task that finds a vm_bo while another one is about to put its last reference */
static void end_acquired(void *data, struct lockdep_map *lock, unsigned int subclass, int trylock,
			 int read, int check, struct lockdep_map *nest_lock, unsigned long ip)
{
	struct end_release *release = data;

	/* might_lock() comes first. */
	if (current == release->task && lock == release->lock && ++release->acquired == 2)
		kref_get(&release->vm_bo->kref);
}

static void end_find_acquire(struct tracepoint *tp, void *found)
{
	if (!strcmp(tp->name, "lock_acquire"))
		*(struct tracepoint **)found = tp;
}

/* The same for a task that puts a reference, which was the last one until it took the lock. */
static void end_put_holds_lock(struct kunit *test)
{
	struct end_vm *vm = end_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 1, NULL);
	struct end_release release = { .task = current, .lock = &bo->base.gpuva.lock.dep_map };
	struct tracepoint *acquire = NULL;

	release.vm_bo = drm_gpuvm_imm_obtain(&end_vm_type, drm_gpuvm_imm_shared(vm->core), bo,
					     end_no_hook);
	KUNIT_ASSERT_FALSE(test, IS_ERR(release.vm_bo));
	/* might_lock() makes the first release. */
	release.skip = 1;
	for_each_kernel_tracepoint(end_find_release, &release);
	for_each_kernel_tracepoint(end_find_acquire, &acquire);
	KUNIT_ASSERT_NOT_NULL(test, release.tp);
	KUNIT_ASSERT_NOT_NULL(test, acquire);
	KUNIT_ASSERT_EQ(test, tracepoint_probe_register(release.tp, end_released, &release), 0);
	KUNIT_ASSERT_EQ(test, tracepoint_probe_register(acquire, end_acquired, &release), 0);
	drm_gpuvm_imm_bo_put(release.vm_bo);
	KUNIT_EXPECT_EQ(test, tracepoint_probe_unregister(acquire, end_acquired, &release), 0);
	KUNIT_EXPECT_EQ(test, tracepoint_probe_unregister(release.tp, end_released, &release), 0);
	tracepoint_synchronize_unregister();
	KUNIT_EXPECT_EQ(test, release.acquired, 2);
	KUNIT_EXPECT_EQ(test, release.times, 2);
	KUNIT_EXPECT_EQ(test, release.refs, 2);
	KUNIT_EXPECT_EQ(test, kref_read(&release.vm_bo->kref), 1);
	drm_gpuvm_imm_bo_put(release.vm_bo);
	test_bo_end(test, bo);
	end_vm_end(vm);
}
#else
static void end_put_holds_lock(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_LOCKDEP and CONFIG_TRACEPOINTS");
}

static void end_unlink_holds_lock(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_LOCKDEP and CONFIG_TRACEPOINTS");
}
#endif

static struct kunit_case drm_gpuvm_imm_end_cases[] = {
	KUNIT_CASE(end_in_clean_up),
	KUNIT_CASE(end_of_itself),
	KUNIT_CASE(end_drops_more),
	KUNIT_CASE(end_under_load),
	KUNIT_CASE(end_needs_no_worker),
	KUNIT_CASE(end_before_module),
	KUNIT_CASE(end_other_module),
	KUNIT_CASE(end_module_in_last_put),
	KUNIT_CASE(end_flush_of_chain),
	KUNIT_CASE(end_flush_under_load),
	KUNIT_CASE(end_each_other),
	KUNIT_CASE(end_while_other_waits),
	KUNIT_CASE(end_waits_for_own),
	KUNIT_CASE(end_flush_in_clean_up),
	KUNIT_CASE(end_flush_in_last_put),
	KUNIT_CASE(end_device_last),
	KUNIT_CASE(end_last_put_of_core),
	KUNIT_CASE(end_locked),
	KUNIT_CASE(end_is_marked_first),
	KUNIT_CASE(end_tells_lockdep),
	KUNIT_CASE(end_unlink_holds_lock),
	KUNIT_CASE(end_put_holds_lock),
	{}
};

static struct kunit_suite drm_gpuvm_imm_end_suite = {
	.name = "drm_gpuvm_imm_end",
	.init = test_env_init,
	.test_cases = drm_gpuvm_imm_end_cases,
};

kunit_test_suite(drm_gpuvm_imm_end_suite);
