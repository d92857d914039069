// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Threads that prepare, run, drop, evict, lock and show at the same time.
 */

#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include <drm/drm_gem.h>

#include "drm_gpuvm_imm_internal.h"
#include "drm_gpuvm_imm_test.h"
#include "drm_safe_test.h"

#define RACE_BOS	4
#define RACE_PAGES	(TEST_PAGES - 16)
#define RACE_ROUNDS	(IS_ENABLED(CONFIG_KASAN) ? 2000 : 20000)

struct race {
	struct test_vm *vm[2];
	struct mutex lock[2];		/* one user of each core at a time */
	struct test_bo *bo[RACE_BOS];
	atomic_t errors;
};

struct race_thread {
	struct race *race;
	struct rnd_state rnd;
	int (*fn)(struct race_thread *thread);
	struct completion done;
	char text[SZ_2K];
};

static u32 race_random(struct race_thread *thread, u32 below)
{
	return prandom_u32_state(&thread->rnd) % below;
}

static struct test_bo *race_bo(struct race_thread *thread)
{
	return thread->race->bo[race_random(thread, RACE_BOS)];
}

/* As a VM_BIND ioctl and its job. */
static int race_bind(struct race_thread *thread)
{
	DRM_GPUVM_IMM_UPDATE(update);
	unsigned int nr = race_random(thread, 2);
	struct test_vm *vm = thread->race->vm[nr];
	struct drm_gpuvm_imm *shared = test_vm_shared(vm);
	u64 page = race_random(thread, RACE_PAGES - 16);
	u64 addr = TEST_START + page * TEST_PAGE;
	u64 range = (1 + race_random(thread, 16)) * TEST_PAGE;
	bool cookie;
	int ret;

	switch (race_random(thread, 5)) {
	default:
		ret = test_vm_prepare_map(shared, update, race_bo(thread), addr, range, 0);
		break;
	case 0:
		ret = drm_gpuvm_imm_prepare_unmap(shared, update, addr, range);
		break;
	case 1:
		ret = test_vm_prepare_unmap_obj(shared, update, race_bo(thread));
		break;
	case 2:
		ret = drm_gpuvm_imm_prepare_map_sparse(shared, update, addr, range);
		break;
	}
	if (ret || !race_random(thread, 4))
		return ret;

	cookie = dma_fence_begin_signalling();
	mutex_lock(&thread->race->lock[nr]);
	ret = test_vm_run(vm, update);
	mutex_unlock(&thread->race->lock[nr]);
	dma_fence_end_signalling(cookie);

	return ret;
}

static int race_obtain(struct race_thread *thread)
{
	struct test_vm *vm = thread->race->vm[race_random(thread, 2)];
	struct drm_gpuvm_bo *vm_bo;

	vm_bo = drm_gpuvm_imm_obtain_gem(test_vm_shared(vm), &race_bo(thread)->base, NULL);
	if (IS_ERR(vm_bo))
		return PTR_ERR(vm_bo);
	drm_gpuvm_imm_bo_put(vm_bo);

	return 0;
}

static struct race *race_evicts;

static int race_evict_one(struct test_vm *vm, struct test_bo *bo, struct drm_gpuvm_bo *vm_bo)
{
	struct mutex *lock = &race_evicts->lock[vm == race_evicts->vm[1]];

	if (!mutex_trylock(lock))
		return -EBUSY;
	drm_gpuvm_imm_bo_for_each_va(va, vm_bo)
		memset64(vm->pt + test_page(va->va.addr), 0, va->va.range / TEST_PAGE);
	mutex_unlock(lock);

	return 0;
}

/* As a shrinker: a type's evict step, or a driver that moves objects itself. */
static int race_evict(struct race_thread *thread)
{
	struct test_bo *bo = race_bo(thread);
	int ret = 0;

	if (!dma_resv_trylock(bo->base.resv))
		return 0;
	if (race_random(thread, 2))
		ret = test_vm_evict(bo, race_evict_one);
	else
		drm_gpuvm_imm_set_invalid(&bo->base);
	dma_resv_unlock(bo->base.resv);

	return ret == -EBUSY ? 0 : ret;
}

static int race_validate_one(struct test_vm *vm, struct test_bo *bo, struct drm_exec *exec)
{
	return dma_resv_is_locked(bo->base.resv) ? 0 : -EINVAL;
}

/* As an EXEC ioctl. */
static int race_exec(struct race_thread *thread)
{
	return test_vm_exec(thread->race->vm[race_random(thread, 2)], race_validate_one);
}

/* Reads the debugfs file. */
static int race_show(struct race_thread *thread)
{
#ifdef CONFIG_DEBUG_FS
	struct test_vm *vm = thread->race->vm[race_random(thread, 2)];
	struct seq_file m = { .buf = thread->text, .size = sizeof(thread->text) };

	mutex_init(&m.lock);
	drm_gpuvm_imm_show(&m, test_vm_shared(vm));
#endif
	return 0;
}

static int race_thread_fn(void *data)
{
	struct race_thread *thread = data;

	for (int i = 0; i < RACE_ROUNDS; i++) {
		if (thread->fn(thread))
			atomic_inc(&thread->race->errors);
		if (!(i % 16))
			cond_resched();
	}
	complete(&thread->done);

	return 0;
}

/* Start the threads, each with a function of its own, and wait for them. */
static void race_run(struct kunit *test, struct race *race,
		     int (*const fns[])(struct race_thread *thread), unsigned int n)
{
	struct race_thread *threads = kunit_kcalloc(test, n, sizeof(*threads), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, threads);
	for (unsigned int i = 0; i < n; i++) {
		struct task_struct *task;

		threads[i].race = race;
		threads[i].fn = fns[i];
		prandom_seed_state(&threads[i].rnd, i + 1);
		init_completion(&threads[i].done);
		task = kthread_run(race_thread_fn, &threads[i], "race/%u", i);
		if (IS_ERR(task)) {
			atomic_inc(&race->errors);
			complete(&threads[i].done);
		}
	}
	for (unsigned int i = 0; i < n; i++)
		wait_for_completion(&threads[i].done);
	KUNIT_EXPECT_EQ(test, atomic_read(&race->errors), 0);
}

static struct race *race_new(struct kunit *test)
{
	struct race *race = kunit_kzalloc(test, sizeof(*race), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, race);
	for (int i = 0; i < ARRAY_SIZE(race->vm); i++) {
		race->vm[i] = test_vm_new(test);
		mutex_init(&race->lock[i]);
	}
	for (int i = 0; i < RACE_BOS; i++) {
		struct drm_gem_object *resv_obj =
			i ? NULL : drm_gpuvm_imm_resv_obj(test_vm_shared(race->vm[0]));

		race->bo[i] = test_bo_new(test, 16, resv_obj);
	}

	return race;
}

static void drm_gpuvm_imm_race_test_all(struct kunit *test)
{
	static int (*const fns[])(struct race_thread *thread) = {
		race_bind, race_bind, race_obtain, race_evict, race_exec, race_exec,
		race_show,
	};
	struct race *race = race_new(test);

	race_evicts = race;
	race_run(test, race, fns, ARRAY_SIZE(fns));

	/* Objects go while they are mapped, and VMs go with their mappings. */
	for (int i = 0; i < RACE_BOS; i++)
		test_bo_end(test, race->bo[i]);
	for (int i = 0; i < ARRAY_SIZE(race->vm); i++)
		test_vm_end(test, race->vm[i]);
}

/* A VM of its own that ends while another thread has its shared side. */
struct race_end {
	struct drm_gpuvm_imm *shared;
	struct test_bo *bo;
	struct completion done;
	bool start;
};

static int race_end_fn(void *data)
{
	struct race_end *end = data;
	struct drm_gpuvm_imm_update update = {};

	while (!READ_ONCE(end->start))
		cpu_relax();
	if (!test_vm_prepare_map(end->shared, &update, end->bo, TEST_START, TEST_PAGE, 0))
		drm_gpuvm_imm_update_drop(&update);
	drm_gpuvm_imm_put(end->shared);
	complete(&end->done);

	return 0;
}

static void drm_gpuvm_imm_race_test_end(struct kunit *test)
{
	struct test_bo *bo = test_bo_new(test, 16, NULL);

	for (int i = 0; i < RACE_ROUNDS / 40; i++) {
		struct test_vm *vm = test_vm_new(test);
		struct race_end end = { .bo = bo };
		struct task_struct *task;

		init_completion(&end.done);
		end.shared = drm_gpuvm_imm_get(vm->core);
		KUNIT_ASSERT_EQ(test, test_map(test, vm, bo, 0, 0, 4, 0), 0);
		task = kthread_run(race_end_fn, &end, "race-end");
		KUNIT_ASSERT_FALSE(test, IS_ERR(task));
		WRITE_ONCE(end.start, true);
		test_vm_end(test, vm);
		wait_for_completion(&end.done);
	}
	drm_gpuvm_imm_flush();
	KUNIT_EXPECT_EQ(test, kref_read(&bo->base.refcount), 1);
}

/* VMs that come and go while another thread evicts their objects */
struct race_ends {
	struct test_bo *bo;
	struct completion done;
	bool stop;
	int ret;
};

/* Odd while somebody is in here. The core stays, and its steps are not called. */
static int race_ends_one(struct test_vm *vm, struct test_bo *bo, struct drm_gpuvm_bo *vm_bo)
{
	WRITE_ONCE(vm->evicted, vm->evicted + 1);
	schedule_timeout_uninterruptible(1);
	WRITE_ONCE(vm->evicted, vm->evicted + 1);

	return drm_gpuvm_imm_shared(vm->core) ? 0 : -ENOENT;
}

static void race_ends_step(struct test_vm *vm)
{
	vm->in_step = race_ends_step;
	if (READ_ONCE(vm->evicted) % 2)
		vm->validated++;
}

static int race_ends_fn(void *data)
{
	struct race_ends *ends = data;

	while (!READ_ONCE(ends->stop) && !ends->ret) {
		dma_resv_lock(ends->bo->base.resv, NULL);
		ends->ret = test_vm_evict(ends->bo, race_ends_one);
		if (ends->ret == -EBUSY)
			ends->ret = 0;
		dma_resv_unlock(ends->bo->base.resv);
		cond_resched();
	}
	complete(&ends->done);

	return 0;
}

static void drm_gpuvm_imm_race_test_evict(struct kunit *test)
{
	static const struct drm_gpuvm_imm_config config = {
		.start = TEST_START, .range = TEST_PAGES * TEST_PAGE,
	};
	struct test_env *env = test->priv;
	struct race_ends ends = { .bo = test_bo_new(test, 16, NULL) };
	unsigned int evicted = 0;
	struct task_struct *task;

	init_completion(&ends.done);
	task = kthread_run(race_ends_fn, &ends, "race-ends");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	/* For some time, and one was being evicted when its end came */
	for (int i = 0; i < 50 || !evicted; i++) {
		struct test_vm *vm = kunit_kzalloc(test, sizeof(*vm), GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, vm);
		KUNIT_ASSERT_EQ(test, test_vm_init(vm, env->drm, &config), 0);
		for (int j = 0; j < 8; j++)
			KUNIT_EXPECT_EQ(test, test_map(test, vm, ends.bo, 0, j, 1, 0), 0);
		cond_resched();
		vm->in_step = race_ends_step;
		evicted += READ_ONCE(vm->evicted) % 2;
		test_vm_fini(vm);
		KUNIT_EXPECT_EQ(test, vm->validated, 0);
		kunit_kfree(test, vm);
	}
	WRITE_ONCE(ends.stop, true);
	wait_for_completion(&ends.done);
	KUNIT_EXPECT_EQ(test, ends.ret, 0);
}

/* Two writers for sure: one is in a step when the other comes. */
struct race_writers {
	struct test_vm *vm;
	struct completion inside;
	struct completion leave;
	struct completion done;
	int ret;
};

static struct race_writers *race_writers;

static void race_wait_in_step(struct test_vm *vm)
{
	complete(&race_writers->inside);
	wait_for_completion(&race_writers->leave);
}

static int race_writer_fn(void *data)
{
	struct race_writers *writers = data;
	struct drm_gpuvm_imm_update update = {};

	writers->ret = drm_gpuvm_imm_prepare_map_sparse(test_vm_shared(writers->vm), &update,
							TEST_START, TEST_PAGE);
	if (!writers->ret)
		writers->ret = test_vm_run(writers->vm, &update);
	complete(&writers->done);

	return 0;
}

static void drm_gpuvm_imm_race_test_writers(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct race_writers writers = { .vm = test_vm_new(test) };
	struct task_struct *task;

	init_completion(&writers.inside);
	init_completion(&writers.leave);
	init_completion(&writers.done);
	race_writers = &writers;
	writers.vm->in_step = race_wait_in_step;
	KUNIT_ASSERT_EQ(test, 0, drm_gpuvm_imm_prepare_unmap(test_vm_shared(writers.vm), update,
							     TEST_START, TEST_PAGE));

	task = kthread_run(race_writer_fn, &writers, "race-writer");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	wait_for_completion(&writers.inside);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, test_vm_run(writers.vm, update), -EBUSY);
		EXPECT_BROKEN(test, "a VM has one writer at a time");
	}
	/* The mapping of a map step is in the address space. */
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_NOT_NULL(test, test_vm_find(writers.vm, TEST_START, TEST_PAGE));
		EXPECT_BROKEN(test, "a VM has one writer at a time");
	}
	complete(&writers.leave);
	wait_for_completion(&writers.done);
	KUNIT_EXPECT_EQ(test, writers.ret, 0);
	KUNIT_EXPECT_NOT_NULL(test, test_vm_find_first(writers.vm, TEST_START, TEST_PAGE));
}

/* The core goes while another task uses it: reported, and waited for. */
struct race_fini {
	struct test_vm *vm;
	struct task_struct *ends;	/* the task that is about to end the VM, */
	unsigned long slept;		/* and how often it had slept till then */
	struct completion inside;
	struct completion done;
	int ret;
};

static struct race_fini *race_fini;

/* It sleeps between two looks at whether the VM is free, and not before. */
static void race_wait_for_fini(struct test_vm *vm)
{
	complete(&race_fini->inside);
	/* Pairs with the release in drm_gpuvm_imm_race_test_fini(). */
	while (!smp_load_acquire(&race_fini->ends) ||
	       READ_ONCE(race_fini->ends->nvcsw) == race_fini->slept)
		schedule_timeout_uninterruptible(1);
}

static int race_fini_fn(void *data)
{
	struct race_fini *fini = data;
	struct drm_gpuvm_imm_update update = {};

	fini->ret = drm_gpuvm_imm_prepare_map_sparse(test_vm_shared(fini->vm), &update,
						     TEST_START, TEST_PAGE);
	if (!fini->ret)
		fini->ret = test_vm_run(fini->vm, &update);
	complete(&fini->done);

	return 0;
}

static void drm_gpuvm_imm_race_test_fini(struct kunit *test)
{
	struct race_fini fini = { .vm = test_vm_new(test) };
	struct task_struct *task;

	init_completion(&fini.inside);
	init_completion(&fini.done);
	race_fini = &fini;
	fini.vm->in_step = race_wait_for_fini;
	task = kthread_run(race_fini_fn, &fini, "race-fini");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	wait_for_completion(&fini.inside);
	kunit_warning_suppress(test) {
		fini.slept = current->nvcsw;
		/* Pairs with race_wait_for_fini(). */
		smp_store_release(&fini.ends, current);
		test_vm_fini(fini.vm);
		EXPECT_BROKEN(test, "the core outlives its users");
	}
	/* It came after the step, and unmapped the step's mapping. */
	KUNIT_EXPECT_EQ(test, fini.vm->maps, 1);
	KUNIT_EXPECT_EQ(test, fini.vm->unmaps, 1);
	KUNIT_EXPECT_EQ(test, fini.vm->pt[0], 0);
	wait_for_completion(&fini.done);
	KUNIT_EXPECT_EQ(test, fini.ret, 0);
}

/* An ioctl whose client gets a signal while another task holds the reservation lock */
struct race_client {
	struct drm_gpuvm_imm *shared;
	struct test_bo *bo;
	bool prepares;
	struct drm_gpuvm_imm_update update;
	struct completion done;
	struct completion leave;
	int ret;		/* of the call that was interrupted, */
	int ret_later;		/* and of another one, with the signal still there */
};

static int race_client_obtain(struct race_client *client, bool interruptible)
{
	struct drm_gpuvm_bo *vm_bo;

	if (interruptible)
		vm_bo = drm_gpuvm_imm_obtain_gem_interruptible(client->shared, &client->bo->base,
							       NULL);
	else
		vm_bo = drm_gpuvm_imm_obtain_gem(client->shared, &client->bo->base, NULL);
	if (IS_ERR(vm_bo))
		return PTR_ERR(vm_bo);
	drm_gpuvm_imm_bo_put(vm_bo);

	return 0;
}

static int race_client_call(struct race_client *client, bool interruptible)
{
	if (!client->prepares)
		return race_client_obtain(client, interruptible);
	if (interruptible)
		return test_vm_prepare_map_interruptible(client->shared, &client->update,
							 client->bo, TEST_START, TEST_PAGE, 0);
	return test_vm_prepare_map(client->shared, &client->update, client->bo, TEST_START,
				   TEST_PAGE, 0);
}

static int race_client_fn(void *data)
{
	struct race_client *client = data;

	allow_signal(SIGKILL);
	client->ret = race_client_call(client, true);
	complete(&client->done);
	wait_for_completion(&client->leave);
	client->ret_later = race_client_call(client, false);
	complete(&client->done);

	return 0;
}

/* It waits for the lock, or is through already. */
static unsigned int race_client_state(struct race_client *client, struct task_struct *task)
{
	unsigned int state;

	do {
		schedule_timeout_uninterruptible(1);
		state = READ_ONCE(task->__state) & TASK_NORMAL;
	} while (!state && !completion_done(&client->done));

	return state;
}

static void race_client_test(struct kunit *test, bool prepares)
{
	struct race_client client = {
		.shared = test_vm_shared(test_vm_new(test)),
		.bo = test_bo_new(test, 1, NULL),
		.prepares = prepares,
	};
	struct dma_resv *resv = drm_gpuvm_imm_resv_obj(client.shared)->resv;
	struct task_struct *task;
	bool interruptible;

	init_completion(&client.done);
	init_completion(&client.leave);
	task = kthread_create(race_client_fn, &client, "race-client");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	get_task_struct(task);

	dma_resv_lock(resv, NULL);
	wake_up_process(task);
	interruptible = race_client_state(&client, task) == TASK_INTERRUPTIBLE;
	KUNIT_EXPECT_TRUE(test, interruptible);
	send_sig(SIGKILL, task, 1);
	if (interruptible)
		wait_for_completion(&client.done);
	KUNIT_EXPECT_TRUE(test, list_empty(&client.shared->base.extobj.list));
	dma_resv_unlock(resv);
	if (!interruptible)
		wait_for_completion(&client.done);
	KUNIT_EXPECT_EQ(test, client.ret, -EINTR);
	KUNIT_EXPECT_NULL(test, test_vm_update_va(&client.update));
	drm_gpuvm_imm_flush();
	KUNIT_EXPECT_EQ(test, kref_read(&client.bo->base.refcount), 1);

	/* Other functions do not care. */
	complete(&client.leave);
	wait_for_completion(&client.done);
	KUNIT_EXPECT_EQ(test, client.ret_later, 0);
	drm_gpuvm_imm_update_drop(&client.update);
	put_task_struct(task);
}

static void drm_gpuvm_imm_race_test_signal(struct kunit *test)
{
	race_client_test(test, false);
	race_client_test(test, true);
}

/* The _locked functions are for the task that holds the lock, and not for others. */
static void drm_gpuvm_imm_race_test_not_locked(struct kunit *test)
{
	DRM_GPUVM_IMM_UPDATE(update);
	struct test_vm *vm = test_vm_new(test);
	struct test_bo *bo = test_bo_new(test, 1, NULL);
	struct dma_resv *resv = drm_gpuvm_imm_resv_obj(test_vm_shared(vm))->resv;
	struct test_holder holder = { .resv = resv };
	struct task_struct *task;

	init_completion(&holder.locked);
	init_completion(&holder.unlock);
	init_completion(&holder.done);
	task = kthread_run(test_holder_fn, &holder, "race-holder");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	wait_for_completion(&holder.locked);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, -EINVAL,
				test_vm_prepare_map_locked(test_vm_shared(vm), update, bo,
							   TEST_START, TEST_PAGE, 0));
		EXPECT_BROKEN(test, "a _locked call is made with the VM's reservation lock");
	}
	complete(&holder.unlock);
	wait_for_completion(&holder.done);
}

static struct kunit_case drm_gpuvm_imm_race_test_cases[] = {
	KUNIT_CASE_ATTR(drm_gpuvm_imm_race_test_all, {.speed = KUNIT_SPEED_VERY_SLOW}),
	KUNIT_CASE_ATTR(drm_gpuvm_imm_race_test_end, {.speed = KUNIT_SPEED_VERY_SLOW}),
	KUNIT_CASE_ATTR(drm_gpuvm_imm_race_test_evict, {.speed = KUNIT_SPEED_VERY_SLOW}),
	KUNIT_CASE(drm_gpuvm_imm_race_test_writers),
	KUNIT_CASE(drm_gpuvm_imm_race_test_fini),
	KUNIT_CASE(drm_gpuvm_imm_race_test_signal),
	KUNIT_CASE(drm_gpuvm_imm_race_test_not_locked),
	{}
};

static struct kunit_suite drm_gpuvm_imm_race_suite = {
	.name = "drm_gpuvm_imm_race",
	.init = test_env_init,
	.test_cases = drm_gpuvm_imm_race_test_cases,
};

kunit_test_suite(drm_gpuvm_imm_race_suite);
