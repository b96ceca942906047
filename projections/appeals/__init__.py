"""Appeals, from filing to what carries out a decision."""
