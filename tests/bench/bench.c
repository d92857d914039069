// SPDX-License-Identifier: GPL-2.0-only OR MIT

#include <linux/cpumask.h>
#include <linux/file.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include <linux/sort.h>
#include <linux/workqueue.h>

#include "bench.h"
#include "drm_gpuvm_imm.h"

#if defined(CONFIG_UML) && !defined(MODULE)
#include <os.h>
#endif

#define BENCH_ROUNDS_MAX	101
#define BENCH_LOOPS_MIN		100u

static unsigned int rounds = 15;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "how often each side of a pair is timed (default: 15, at most 101)");

static unsigned int divide = 1;
module_param(divide, uint, 0444);
MODULE_PARM_DESC(divide, "do work that is repeated for the clock less often, by this (default: 1)");

static unsigned int most = UINT_MAX;
module_param(most, uint, 0444);
MODULE_PARM_DESC(most, "at most so many objects or mappings (default: no limit)");

/* Whether work on @n objects or mappings is to be timed */
bool bench_wants(unsigned int n)
{
	return n <= most;
}

/*
 * With CONFIG_IRQ_TIME_ACCOUNTING, the time of the task, without that of interrupts and of other
 * tasks. The host's clock is finer than that of a UML kernel.
 */
u64 bench_clock(void)
{
#if defined(CONFIG_UML) && !defined(MODULE)
	return os_nsecs();
#elif defined(CONFIG_IRQ_TIME_ACCOUNTING) && !defined(MODULE)
	return task_sched_runtime(current);
#else
	return ktime_get_ns();
#endif
}

/* Returns the run time of all other tasks until now: work items, RCU callbacks in their threads. */
static u64 bench_others(void)
{
	u64 time = 0;
#if defined(CONFIG_IRQ_TIME_ACCOUNTING) && !defined(MODULE)
	struct task_struct *group, *task;

	guard(rcu)();
	for_each_process_thread(group, task)
		if (task != current)
			time += task_sched_runtime(task);
#endif
	return time;
}

/* Lets other tasks do the deferred work. */
static void bench_settle(void)
{
	flush_delayed_fput();
	drm_gpuvm_imm_flush();
	rcu_barrier();
#ifndef MODULE
	kvfree_rcu_barrier();
#endif
}

/*
 * Returns just after a tick. At a tick, a work item that waits may get the processor. Work that
 * always begins at the same distance from a tick puts off the same number of batches each time.
 */
static void bench_await_tick(void)
{
	const unsigned long now = jiffies;

	while (READ_ONCE(jiffies) == now)
		cpu_relax();
}

/* Whether the time of other tasks is known, and theirs is for the work of one processor */
static bool bench_knows_others(void)
{
	return IS_ENABLED(CONFIG_IRQ_TIME_ACCOUNTING) && !IS_MODULE(CONFIG_DRM_SAFE_BENCH) &&
	       bench_cpus() == 1;
}

/* The run time of other tasks when the work began, and their time after the last work */
static u64 bench_others_before, bench_later;

/*
 * The test, while the task that works seems to be in none. In a test, each function that a test can
 * replace looks for its replacement, which takes more instructions than many of these functions.
 */
static struct kunit *bench_test;

/**
 * bench_start() - begin to time work
 *
 * Work that was deferred before is done by then.
 *
 * Return: what bench_stop() is given.
 */
u64 bench_start(void)
{
	u64 idle;

	if (bench_knows_others()) {
		bench_settle();
		idle = bench_others();
		bench_settle();
		bench_await_tick();
		bench_others_before = bench_others();
		/* To settle takes others some time, even if nothing was put off. */
		bench_others_before += bench_others_before - idle;
		bench_test = current->kunit_test;
		current->kunit_test = NULL;
	}
	return bench_clock();
}

/**
 * bench_stop() - end it
 * @start: what bench_start() returned
 *
 * Has others do what the work has put off, and notes for how long they run.
 *
 * Return: the time of the work, in nanoseconds of bench_clock().
 */
u64 bench_stop(u64 start)
{
	u64 time = bench_clock() - start, others;

	if (bench_knows_others()) {
		current->kunit_test = bench_test;
		bench_settle();
		others = bench_others();
		bench_later = others - min(others, bench_others_before);
	}
	return time;
}

static int bench_cmp(const void *a, const void *b)
{
	const u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

unsigned int bench_cpus(void)
{
	return min(num_online_cpus(), BENCH_CPUS);
}

/* The thread of one of several processors. It begins once none of them is @away. */
struct bench_work {
	struct work_struct base;
	bench_fn *fn;
	void *ctx;
	unsigned int loops;
	atomic_t *away;
	u64 time;
};

static void bench_work(struct work_struct *base)
{
	struct bench_work *work = container_of(base, struct bench_work, base);

	atomic_dec(work->away);
	while (atomic_read(work->away))
		cond_resched();
	work->time = work->fn(work->ctx, work->loops);
}

/* On all processors at a time; the mean of their times. */
static u64 bench_together(struct workqueue_struct *wq, bench_fn *fn, void *const *ctx,
			  unsigned int loops)
{
	const unsigned int cpus = bench_cpus();
	struct bench_work works[BENCH_CPUS];
	atomic_t away = ATOMIC_INIT(cpus);
	u64 time = 0;

	for (unsigned int i = 0; i < cpus; i++) {
		works[i] = (struct bench_work) {
			.fn = fn, .ctx = ctx[i], .loops = loops, .away = &away,
		};
		INIT_WORK_ONSTACK(&works[i].base, bench_work);
		queue_work_on(i, wq, &works[i].base);
	}
	for (unsigned int i = 0; i < cpus; i++) {
		flush_work(&works[i].base);
		destroy_work_on_stack(&works[i].base);
		time += works[i].time;
	}
	return time / cpus;
}

/*
 * Picoseconds per repetition, and in @later, if it is not NULL, those that the other tasks took for
 * what the work has put off. Not inline: scripts/lines.py sees where a side begins.
 */
static bench_alone u64 bench_once(struct workqueue_struct *wq, bench_fn *fn, void *const *ctx,
				  unsigned int loops, u64 *later)
{
	u64 time;

	bench_settle();
	time = bench_cpus() > 1 ? bench_together(wq, fn, ctx, loops) : fn(ctx[0], loops);
	if (later)
		*later = div_u64(bench_later * 1000, loops);

	return div_u64(time * 1000, loops);
}

/* Where a number of objects is given, it may be the number of the loops, too. */
static unsigned int bench_loops(unsigned int loops, unsigned int n)
{
	if (n || divide <= 1)
		return loops;
	return max(loops / divide, min(loops, BENCH_LOOPS_MIN));
}

/**
 * bench_compare() - time both sides of a pair in turn and print the result
 * @test: the test
 * @pair: the pair to time
 * @n: of how many objects, for work whose cost may depend on it, or 0
 * @ctx: given to both sides, one for each processor
 *
 * The first round is not counted: it touches memory for the first time. The ratio
 * is the median of those of each round, for what slows one round down is there for
 * both sides.
 */
void bench_compare(struct kunit *test, const struct bench_pair *pair, unsigned int n,
		   void *const *ctx)
{
	const unsigned int count = clamp(rounds, 1, BENCH_ROUNDS_MAX);
	const unsigned int loops = bench_loops(pair->loops, n);
	u64 *raw = kunit_kcalloc(test, 5 * BENCH_ROUNDS_MAX, sizeof(*raw), GFP_KERNEL);
	u64 *safe = raw + BENCH_ROUNDS_MAX;
	u64 *ratio = safe + BENCH_ROUNDS_MAX;
	u64 *raw_later = ratio + BENCH_ROUNDS_MAX;
	u64 *safe_later = raw_later + BENCH_ROUNDS_MAX;
	struct workqueue_struct *wq;
	char cpus[16] = "";

	KUNIT_ASSERT_NOT_NULL(test, raw);
	/* Memory that was freed meanwhile must not wait for the end of such long work. */
	wq = alloc_workqueue("bench", WQ_PERCPU | WQ_CPU_INTENSIVE, 0);
	KUNIT_ASSERT_NOT_NULL(test, wq);
	bench_once(wq, pair->raw, ctx, loops, NULL);
	bench_once(wq, pair->safe, ctx, loops, NULL);
	for (unsigned int i = 0; i < count; i++) {
		raw[i] = bench_once(wq, pair->raw, ctx, loops, &raw_later[i]);
		safe[i] = bench_once(wq, pair->safe, ctx, loops, &safe_later[i]);
		ratio[i] = div64_u64(1000 * safe[i], max(raw[i], 1));
	}
	destroy_workqueue(wq);
	sort(raw, count, sizeof(*raw), bench_cmp, NULL);
	sort(safe, count, sizeof(*safe), bench_cmp, NULL);
	sort(ratio, count, sizeof(*ratio), bench_cmp, NULL);
	sort(raw_later, count, sizeof(*raw_later), bench_cmp, NULL);
	sort(safe_later, count, sizeof(*safe_later), bench_cmp, NULL);
	if (bench_cpus() > 1)
		scnprintf(cpus, sizeof(cpus), ", %u CPUs", bench_cpus());
	kunit_info(test, "bench,%s%s,%u,%u,%llu,%llu,%llu,%llu,%llu", pair->name, cpus, n, count,
		   raw[count / 2], safe[count / 2], raw[0], safe[0], ratio[count / 2]);
	kunit_info(test, "later,%s,%u,%llu,%llu", pair->name, n, raw_later[count / 2],
		   safe_later[count / 2]);
	kunit_kfree(test, raw);
}

/**
 * bench_third() - time a third way to do the work of a pair and print the result
 * @test: the test
 * @name: of the pair
 * @fn: the function to time
 * @loops: how often
 * @n: of how many objects, or 0
 * @ctx: given to @fn
 *
 * One processor does it once, after a round that is not counted. That is enough where the clock
 * counts instructions.
 */
void bench_third(struct kunit *test, const char *name, bench_fn *fn, unsigned int loops,
		 unsigned int n, void *ctx)
{
	u64 time, later = 0;

	loops = bench_loops(loops, n);
	bench_settle();
	fn(ctx, loops);
	bench_settle();
	time = fn(ctx, loops);
	if (bench_knows_others())
		later = bench_later;
	kunit_info(test, "third,%s,%u,%llu,%llu", name, n, div_u64(time * 1000, loops),
		   div_u64(later * 1000, loops));
}

kunit_test_suites(&bench_ctx_suite, &bench_shmem_suite, &bench_find_suite, &bench_gpuvm_suite);

MODULE_DESCRIPTION("Benchmark of the DRM safe helpers");
MODULE_LICENSE("Dual MIT/GPL");
