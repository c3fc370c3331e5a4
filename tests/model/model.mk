# ---- models: the memory orders of what threads share, and the arithmetic of indices over all of their values ----
MODEL_PROGRAMS := indices_ring indices_shm

.PHONY: model
model: $(MODEL_PROGRAMS:%=$(BUILD)/model/%)
	@BUILD='$(BUILD)' tests/model/run

$(BUILD)/model/indices_ring: src/ring.c src/memory.c
$(BUILD)/model/indices_shm: receivers/ivshmem_header.c receivers/ivshmem_ring.c src/format.c
$(BUILD)/model/%: tests/model/%.c $(BUILD)/flags
	@echo "  CC    $@"
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -fsanitize=undefined -fno-sanitize-recover=all -Isrc -MF $@.d $(ALL_LDFLAGS) \
	    -o $@ $(filter %.c,$^)
