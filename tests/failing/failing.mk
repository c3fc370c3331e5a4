# ---- the n-th failure: scream as built, but one of its own calls fails (failing.c); for every n ----
FAILING_CALLS := $(shell tests/failing/wrapped tests/failing/failing.c)
FAILING_WRAP  := -Wl,--wrap=

$(BUILD)/scream-failing: $(BUILD)/obj/tests/failing/failing.o $(call objects,src/main.c $(CORE) $(filter-out outputs/table.c,$(DRIVERS))) \
                          $(call checked,outputs/table.c)
	@echo "  LINK  $@"
	$(Q)$(CC) $(ALL_LDFLAGS) $(addprefix $(FAILING_WRAP),$(FAILING_CALLS)) -o $@ $^ $(PKG_LIBS) -lm

.PHONY: failing
failing: $(BUILD)/scream-failing
	@BUILD='$(BUILD)' tests/failing/run
