//! Metric families, histograms, tracing set-up
