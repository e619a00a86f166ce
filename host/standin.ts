/** Whether an image is what scripts/bases builds where no registry is reached; no registry has it. */
export const isStandin = (image: string): boolean => image.startsWith("localhost/tpdocker-standin/");
