/* SPDX-License-Identifier: Apache-2.0 */
/* Input and output of the harness on the machine that tinyc runs on. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_FILES 8

static FILE *files[MAX_FILES];

int harness_open(const char *name, int write)
{
    int i;
    for (i = 0; i < MAX_FILES; i++) {
        if (files[i] == NULL) {
            files[i] = fopen(name, write ? "wb" : "rb");
            return files[i] == NULL ? -1 : i;
        }
    }
    return -1;
}

int harness_read(int handle, void *data, uint32_t bytes)
{
    return bytes == 0 || fread(data, 1, bytes, files[handle]) == bytes ? 0 : -1;
}

int harness_write(int handle, const void *data, uint32_t bytes)
{
    return bytes == 0 || fwrite(data, 1, bytes, files[handle]) == bytes ? 0 : -1;
}

void harness_close(int handle)
{
    if (fclose(files[handle]) != 0) {
        harness_print("harness: a file cannot be closed\n");
        harness_exit(2);
    }
    files[handle] = NULL;
}

void harness_print(const char *text)
{
    fputs(text, stderr);
}

void harness_exit(int code)
{
    exit(code);
}

int main(void)
{
    return harness_main();
}
