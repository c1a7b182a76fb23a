# Voices side by side on the texts of some recordings: their scores beside those of the recordings, a
# page to listen to, and a page on which listeners rate them without knowing which is which.  A
# project says what differs, and includes this.
#
# make            the table, and a page to listen to
# make listen     the page alone
# make blind      the listening test; `ttskit report --votes FILE...` prints what it came to
#
# DATASET      the folder of the recordings, in any layout that `ttskit corpus` knows
# VOICES       voices, by name or file, or models that make chains: `ttskit compare --help`
# VOCODER      through which the recordings go, to be the best that there can be
# TESTS        utterances, at random
# MEASURES     wer_base (Whisper, which knows the language) and distillmos need the extra eval
# CORPUS       further options of `ttskit corpus`
TTSKIT ?= ttskit
BUILD ?= build
VOICES ?= kathleen
VOCODER ?= source
TESTS ?= 20
CORPUS ?=
FEATURES ?=
MEASURES ?= mcd,f0,intonation,rtf
COMPARE ?=

.DELETE_ON_ERROR:
.PHONY: all listen blind clean FORCE
all: $(BUILD)/table.md $(BUILD)/listen.html
	cat $<

FORCE:

$(BUILD)/corpus.h5: FORCE
	@mkdir -p $(@D)
	$(TTSKIT) corpus '$(DATASET)' $(CORPUS) -o $@

$(BUILD)/test.h5: $(BUILD)/corpus.h5 FORCE
	$(TTSKIT) select $< --random $(TESTS) -o $@

$(BUILD)/features.h5: $(BUILD)/test.h5 FORCE
	$(TTSKIT) features $< $(FEATURES) -o $@

$(BUILD)/copies.h5: $(BUILD)/features.h5 FORCE
	$(TTSKIT) vocode $< --vocoder $(VOCODER) -o $@

$(BUILD)/table.md: $(BUILD)/test.h5 $(BUILD)/copies.h5 FORCE
	$(TTSKIT) compare $< $(VOICES) --reference $< --ceiling $(BUILD)/copies.h5 \
		--measures $(MEASURES) $(COMPARE) -o $(BUILD)/compared --markdown > $@.new
	@mv $@.new $@

SPOKEN = $$(ls $(BUILD)/compared/*.h5 | grep -v '\.scores\.h5$$')
listen: $(BUILD)/listen.html
$(BUILD)/listen.html: $(BUILD)/table.md FORCE
	$(TTSKIT) report $(BUILD)/test.h5 $(BUILD)/copies.h5 $(BUILD)/compared/*.h5 -o $@

blind: $(BUILD)/blind.html
$(BUILD)/blind.html: $(BUILD)/table.md FORCE
	$(TTSKIT) report $(BUILD)/test.h5 $(SPOKEN) --blind --audio ogg -o $@

clean:
	rm -rf $(BUILD)
