/* SPDX-License-Identifier: Apache-2.0
 * log_writer: the thread that writes access log buffers to a file or standard output. Private to access_log.
 * Owner: the process. Thread: submit any; new and free control. */
#ifndef UM_PROXY_LOG_WRITER_H
#define UM_PROXY_LOG_WRITER_H

#include "proxy/access_log.h"

/* takes the bytes (malloc'ed). False: the queue is full, nothing was taken. Never waits for the disk. */
bool um_log_writer_submit(struct um_log_writer *, char *bytes, size_t n);
enum um_log_format um_log_writer_format(const struct um_log_writer *);

#endif
