# ---- the benchmark: end to end on private servers, see bench/run. make bench VS=/path/to/other/scream ----
.PHONY: bench bench-report
BENCH_ENV = BUILD='$(BUILD)' BENCH_CASES='$(CASES)' BENCH_SECONDS='$(SECONDS)' BENCH_SERVERS='$(SERVERS)' \
            BENCH_VS='$(VS)' BENCH_VS_NAME='$(VS_NAME)' BENCH_RESUME='$(RESUME)' BENCH_BUDGET='$(BUDGET)' \
            BENCH_LIST='$(LIST)'

bench: $(BUILD)/scream $(BUILD)/scream-send $(BUILD)/scream-listen
	$(Q)$(BENCH_ENV) bench/run

bench-report:
	$(Q)$(BENCH_ENV) BENCH_REPORT=1 bench/run
