# From recordings to what models are trained on: corpus, features, tokens, a test set, an alignment.
# Other recipes include this.  Every stage runs its verb each time, and the verb knows what is up to
# date: whatever was changed (a text, the lexicon, the test set, a budget, a setting) takes effect, a
# run that was killed continues, and the rest takes a second.  `make -j` is safe, but two trainings at
# once share the cores.
#
# DATASET      the folder of the recordings, in any layout that `ttskit corpus` knows
# LANGUAGE     en-us, nl, de ...: `ttskit languages`
# HOURS        of training, altogether; without it the updates or minutes that each recipe states
# TEST         glob of the utterances of the test set; without it TESTS of them at random
# TESTS        how many these are, with all takes of their texts; without it 20, or a fifth of a few
# CORPUS       further options of `ttskit corpus`
# FEATURES     further options of `ttskit features`
# LEXICON      file of words and their phonemes, if there is one
# ALIGN_BY     flat, to train no aligner; else the one that is trained
# CHANGED      what a training does whose inputs or settings were changed: --renew starts over
TTSKIT ?= ttskit
BUILD ?= build
LANGUAGE ?= en-us
HOURS ?=
CORPUS ?=
FEATURES ?=
LEXICON ?=
DEVICE ?= cpu
TEST ?=
# a number of what `ttskit info --json` says of the corpus, by awk
counted = $(shell $(TTSKIT) -q info $(BUILD)/corpus.h5 --json 2> /dev/null | tr ',{}' '\n' \
	| awk -F: '/"utterances"/ { count = $$2 } /"hours"/ { hours = $$2 } END { $(1) }')
TESTS ?= $(call counted,n = count ? int(count / 5) : 20; print (n < 1 ? 1 : n > 20 ? 20 : n))
CHANGED ?= --renew
ALIGNER ?=
ALIGN_BY ?= $(BUILD)/aligner.h5
share = --minutes $(shell awk 'BEGIN { print 60 * $(HOURS) * $(1) }')
# of the hours that are given, else what is stated
spent = $(if $(HOURS),$(call share,$(1)),$(2))
ALIGNER_FOR ?= $(call spent,0.04,--steps 1000)
TRAIN = $(TTSKIT) train
# how many utterances are about 20 seconds of speech: batches of more make few updates
TWENTY_SECONDS = $(call counted,n = hours ? count / hours / 180 : 16; \
	print int(n < 4 ? 4 : n > 16 ? 16 : n))
BATCHES = $(BATCH:%=--set training.batch=%)
RUN = $(CHANGED) --device $(DEVICE)

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: FORCE clean
.DEFAULT_GOAL := all

FORCE:

$(BUILD)/corpus.h5: FORCE
	@mkdir -p $(@D)
	$(TTSKIT) corpus '$(DATASET)' $(CORPUS) -o $@

$(BUILD)/features.h5: $(BUILD)/corpus.h5 FORCE
	$(TTSKIT) features $< $(FEATURES) -o $@

$(BUILD)/tokens.h5: $(BUILD)/corpus.h5 FORCE
	$(TTSKIT) tokens $< --language $(LANGUAGE) $(LEXICON:%=--lexicon %) -o $@

# what is tested on is never trained on
$(BUILD)/test.txt: $(BUILD)/corpus.h5 FORCE
	@$(TTSKIT) -q select $< $(if $(TEST),--glob '$(strip $(TEST))',--random $(TESTS) --by-text) \
		| $(TTSKIT) ls \
		| cut -f1 > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

$(BUILD)/train-%.h5: $(BUILD)/%.h5 $(BUILD)/test.txt FORCE
	@$(TTSKIT) select $< --ids $(BUILD)/test.txt --others -o $@

$(BUILD)/test-%.h5: $(BUILD)/%.h5 $(BUILD)/test.txt FORCE
	@$(TTSKIT) select $< --ids $(BUILD)/test.txt -o $@

$(BUILD)/aligner.h5: $(BUILD)/train-features.h5 $(BUILD)/train-tokens.h5 FORCE
	$(TRAIN) aligner $(wordlist 1,2,$^) $(ALIGNER) $(ALIGNER_FOR) $(RUN) -o $@

$(BUILD)/alignment.h5: $(BUILD)/features.h5 $(BUILD)/tokens.h5 $(filter %.h5,$(ALIGN_BY)) FORCE
	$(TTSKIT) align $(BUILD)/features.h5 $(BUILD)/tokens.h5 --aligner $(ALIGN_BY) -o $@

clean:
	rm -rf $(BUILD) $(BUILD)-quick
