// Exact sums of quantities: decimal text in, decimal text out, never a floating-point number.
import type { Quantity } from "./wire.js";

/** Digits after the decimal point of a quantity. */
const SCALE = 6;
const DECIMAL = /^(-?)(\d+)(?:\.(\d{1,6}))?$/;

/** The sum, or undefined where the units differ (only the server converts) or a text is not a quantity. */
export function sum(left: Quantity, right: Quantity): Quantity | undefined {
  const [one, other] = [millionths(left.amount), millionths(right.amount)];
  if (left.unit !== right.unit || one === undefined || other === undefined) return undefined;
  return { amount: text(one + other), unit: left.unit };
}

/** Whether there is something of it. */
export function isPositive(quantity: Quantity): boolean {
  return (millionths(quantity.amount) ?? 0n) > 0n;
}

function millionths(amount: string): bigint | undefined {
  const parts = DECIMAL.exec(amount);
  if (parts === null) return undefined;
  const [, sign, whole = "0", fraction = ""] = parts;
  const size = BigInt(whole + fraction.padEnd(SCALE, "0"));
  return sign === "-" ? -size : size;
}

function text(size: bigint): string {
  const digits = (size < 0n ? -size : size).toString().padStart(SCALE + 1, "0");
  const fraction = digits.slice(-SCALE).replace(/0+$/, "");
  return `${size < 0n ? "-" : ""}${digits.slice(0, -SCALE)}${fraction && `.${fraction}`}`;
}
