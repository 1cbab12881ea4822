/*
 * What the thread sanitizer is not to report, each with the reason why it is
 * none of ours: all are QEMU's (10.0). Nothing of ours may be named here.
 * Linked into QEMU only when it is built for that sanitizer, whose runtime asks.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
const char *__tsan_default_suppressions(void);

const char *__tsan_default_suppressions(void)
{
    return
        /*
         * QSLIST_INSERT_HEAD_ATOMIC() reads the head without an atomic access,
         * and tries again if it has changed.
         */
        "race_top:aio_bh_enqueue\n"
        /*
         * It looks at the new thread's thread_id before that has said that it
         * is there, and waits if there is none yet.
         */
        "race_top:iothread_init\n"
        /* An assertion reads the count, which is atomic otherwise. */
        "race_top:object_unref\n"
        /*
         * Migration counts in its thread, and query-migrate reads that; what it
         * takes from the bitmaps of dirty pages, others set and test meanwhile.
         * Top frames and pages' bits, not what a device does to be saved.
         */
        "race_top:qemu-src/migration/\n"
        "race:cpu_physical_memory_sync_dirty_bitmap\n"
        "race:cpu_physical_memory_range_includes_clean\n"
        /* Whether pages are tracked at all is looked at meanwhile as well. */
        "race_top:memory_global_dirty_log_\n"
        /* The block found last is a guess, and looked at before it is used. */
        "race_top:qemu_get_ram_block\n"
        /*
         * A request's state is neither atomic nor locked, there are barriers; so
         * its buffer, too, seems to be freed while the worker reads a file into it.
         */
        "race_top:util/thread-pool.c\n"
        "race:^worker_thread$\n"
        /* interrupt_request has atomic accesses in some places only. */
        "race_top:cpu_handle_interrupt\n"
        "race_top:cpu_reset_interrupt\n"
        /* Trace events are turned on and off under way. */
        "race_top:trace_event_set_state_dynamic\n"
        /* A monitor in a thread opens its character device meanwhile. */
        "race_top:chardev_options_parsed_cb\n";
}
